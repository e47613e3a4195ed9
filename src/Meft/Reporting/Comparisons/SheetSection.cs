using System.Text;
using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;

namespace Meft.Reporting.Comparisons;

/// <summary>A comparison's table on its page.</summary>
internal static class SheetSection
{
    /// <summary>Some of its columns; nothing where there are none.</summary>
    /// <param name="result">The comparison.</param>
    /// <param name="sheet">Its table.</param>
    /// <param name="columns">The columns to show.</param>
    public static string Html(ComparisonResult result, ComparisonSheet sheet, IReadOnlyList<SheetColumn> columns)
    {
        if (columns.Count == 0) return "";
        var page = new StringBuilder("<div class=\"scroll\"><table class=\"sheet\"><tr><th>method</th>");
        foreach (var column in columns) page.Append($"<th class=\"n\">{PlotText.Xml(column.Head)}</th>");
        page.Append("</tr>");
        for (var i = 0; i < sheet.Names.Count; i++)
        {
            if (columns.All(c => c.Cells[i].Length == 0)) continue; // the base has no costs
            var kind = i == 0 ? null : (Core.Configuration.MethodKind?)result.Methods[i - 1].Kind;
            page.Append($"<tr><td>{Mark.Icon(kind)}{PlotText.Xml(sheet.Names[i])}</td>");
            foreach (var column in columns) page.Append($"<td class=\"n\">{Cell(column.Cells[i])}</td>");
            page.Append("</tr>");
        }
        return page.Append("</table></div>").ToString();
    }

    /// <summary>The notes below it.</summary>
    public static string Notes(ComparisonSheet sheet) => string.Concat(sheet.Notes.Select(n => $"<p class=\"note\">{PlotText.Xml(n)}</p>"));

    /// <summary>An interval is smaller than its value.</summary>
    private static string Cell(string text) => text.IndexOf(" [", StringComparison.Ordinal) is var at && at > 0
        ? $"{PlotText.Xml(text[..at])} <small>{PlotText.Xml(text[(at + 1)..])}</small>"
        : PlotText.Xml(text);
}
