using System.Text;
using Meft.Core.Comparisons.Results;

namespace Meft.Core.Comparisons.Tables;

/// <summary>A comparison's table in GitHub's Markdown, for a README and for docs.</summary>
public static class ComparisonMarkdown
{
    private const string Special = "\\`*_~<|";

    /// <summary>One table, the notes below it as a paragraph; lines end with a line feed.</summary>
    public static string Text(ComparisonResult result)
    {
        var sheet = ComparisonSheet.Of(result);
        IReadOnlyList<SheetColumn> columns = [.. sheet.Costs, .. sheet.Scores];
        var text = new StringBuilder();
        Row(["method", .. columns.Select(c => Escaped(c.Head))]);
        text.Append("|---").Insert(text.Length, "|---:", columns.Count).Append("|\n");
        for (var i = 0; i < sheet.Names.Count; i++) Row([Escaped(sheet.Names[i]), .. columns.Select(c => Escaped(c.Cells[i]))]);
        if (sheet.Notes.Count > 0) text.Append('\n').AppendJoin(' ', sheet.Notes.Select(Escaped)).Append('\n');
        return text.ToString();

        void Row(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    private static string Escaped(string text) =>
        string.Concat(text.Select(c => c is '\r' or '\n' ? " " : Special.Contains(c) ? $"\\{c}" : c.ToString()));
}
