using System.Text;
using Meft.Core.Comparisons.Results;

namespace Meft.Core.Comparisons.Tables;

/// <summary>A comparison's table in GitHub's Markdown, for a README and for docs.</summary>
public static class ComparisonMarkdown
{
    private const string Special = "\\`*_~<|";

    /// <summary>One table, with several seeds a second one of their spread, the notes below as a paragraph, the machine in another; lines end with a line feed.</summary>
    public static string Text(ComparisonResult result)
    {
        var sheet = ComparisonSheet.Of(result);
        var text = new StringBuilder();
        Table("method", [.. sheet.Costs, .. sheet.Scores]);
        if (sheet.Spread.Count > 0)
        {
            text.Append('\n');
            Table(ComparisonSheet.SpreadTitle, sheet.Spread);
        }
        if (sheet.Notes.Count > 0) text.Append('\n').AppendJoin(' ', sheet.Notes.Select(Escaped)).Append('\n');
        text.Append($"\n{Escaped(result.Machine)}; meft {Escaped(result.Version)}.\n");
        return text.ToString();

        void Table(string corner, IReadOnlyList<SheetColumn> columns)
        {
            Row([corner, .. columns.Select(c => Escaped(c.Head))]);
            text.Append("|---").Insert(text.Length, "|---:", columns.Count).Append("|\n");
            for (var i = 0; i < sheet.Names.Count; i++)
            {
                if (columns.Any(c => c.Cells[i].Length > 0)) Row([Escaped(sheet.Names[i]), .. columns.Select(c => Escaped(c.Cells[i]))]);
            }
        }

        void Row(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    private static string Escaped(string text) =>
        string.Concat(text.Select(c => c is '\r' or '\n' ? " " : Special.Contains(c) ? $"\\{c}" : c.ToString()));
}
