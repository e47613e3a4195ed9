using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;

namespace Meft.Cli.Views;

/// <summary>The result of <c>meft compare</c> as a table, or as two, costs and scores, where one would be too wide.</summary>
internal static class ComparisonTable
{
    /// <summary>Columns of a terminal that a table keeps to.</summary>
    public const int DefaultWidth = 120;

    /// <summary>A heading of so many letters stays in one line.</summary>
    private const int ShortHead = 10;

    /// <summary>A name of more letters takes lines of its own.</summary>
    private const int LongName = 30;

    private const string Name = "method";

    /// <summary>A line about the comparison, the tables, notes, the machine.</summary>
    /// <param name="result">The result.</param>
    /// <param name="text">Where to.</param>
    /// <param name="width">How many columns a line may have.</param>
    public static void Write(ComparisonResult result, TextWriter text, int width = DefaultWidth)
    {
        var sheet = ComparisonSheet.Of(result);
        WriteWrapped(Subject(result), text, width);
        foreach (var columns in Tables(sheet, width)) WriteTable(sheet, columns, text);
        if (sheet.Spread.Count > 0)
        {
            text.WriteLine();
            text.Write($"{ComparisonSheet.SpreadTitle}:");
            foreach (var columns in Cut(sheet, sheet.Spread, width)) WriteTable(sheet, columns, text);
        }
        text.WriteLine();
        foreach (var note in sheet.Notes) WriteWrapped(note, text, width);
        WriteWrapped($"{result.Machine}; meft {result.Version}.", text, width);
    }

    /// <summary>A blank line and a table of some columns.</summary>
    private static void WriteTable(ComparisonSheet sheet, IReadOnlyList<SheetColumn> columns, TextWriter text)
    {
        text.WriteLine();
        var heads = columns.Select(Halves).ToList();
        var table = heads.Any(h => h.Above.Length > 0) ? new AlignedTable(["", .. heads.Select(h => h.Above)]) : null;
        IReadOnlyList<string> below = [Name, .. heads.Select(h => h.Below)];
        if (table is null) table = new AlignedTable(below);
        else table.Add(below);
        for (var i = 0; i < sheet.Names.Count; i++)
        {
            if (columns.All(c => c.Cells[i].Length == 0)) continue; // the base has no costs
            var name = Wrapped(sheet.Names[i], LongName).ToList();
            table.Add([name[0], .. columns.Select(c => c.Cells[i])]);
            foreach (var more in name.Skip(1)) table.Add([more, .. columns.Select(_ => "")]);
        }
        table.Write(text);
    }

    private static string Subject(ComparisonResult result)
    {
        var seeds = $"{(result.Seeds.Count == 1 ? "seed" : "seeds")} {string.Join(", ", result.Seeds)}";
        var budget = result.DeviceBudget is { } bytes ? $"; device budget {Quantities.Bytes(bytes)}" : "";
        return $"{result.Config}: {result.Model}, {Quantities.Count(result.BaseParameters)} parameters; {result.TrainingRows:N0} training rows, {seeds}{budget}.";
    }

    /// <summary>All columns in one table if they fit; else costs and scores, each cut where it is too wide still.</summary>
    private static IEnumerable<IReadOnlyList<SheetColumn>> Tables(ComparisonSheet sheet, int width)
    {
        IReadOnlyList<SheetColumn> all = [.. sheet.Costs, .. sheet.Scores];
        return Cut(sheet, all, width).Take(2).Count() == 1 ? [all] : Cut(sheet, sheet.Costs, width).Concat(Cut(sheet, sheet.Scores, width));
    }

    /// <summary>Columns in as many tables as the width asks for.</summary>
    private static IEnumerable<IReadOnlyList<SheetColumn>> Cut(ComparisonSheet sheet, IReadOnlyList<SheetColumn> columns, int width)
    {
        var name = sheet.Names.Append(Name).SelectMany(n => Wrapped(n, LongName)).Max(n => n.Length);
        var part = new List<SheetColumn>();
        foreach (var column in columns)
        {
            if (part.Count > 0 && Width(part.Append(column)) > width)
            {
                yield return part;
                part = [];
            }
            part.Add(column);
        }
        if (part.Count > 0) yield return part;

        int Width(IEnumerable<SheetColumn> some) => name + some.Sum(c => 2 + Math.Max(Widest(c), Math.Max(Halves(c).Above.Length, Halves(c).Below.Length)));
    }

    /// <summary>A heading in two lines where it is wider than what stands below it: cut at the blank that leaves it narrowest.</summary>
    private static (string Above, string Below) Halves(SheetColumn column)
    {
        var (best, head) = (("", column.Head), column.Head);
        if (head.Length <= Math.Max(ShortHead, Widest(column))) return best;
        var least = head.Length;
        for (var at = head.IndexOf(' ', StringComparison.Ordinal); at >= 0; at = head.IndexOf(' ', at + 1))
        {
            var wider = Math.Max(at, head.Length - at - 1);
            if (wider < least) (best, least) = ((head[..at], head[(at + 1)..]), wider);
        }
        return best;
    }

    private static int Widest(SheetColumn column) => column.Cells.Max(c => c.Length);

    /// <summary>A sentence in lines of at most so many columns, cut at blanks.</summary>
    public static void WriteWrapped(string sentence, TextWriter text, int width)
    {
        foreach (var line in Wrapped(sentence, width)) text.WriteLine(line);
    }

    /// <summary>Lines of at most so many letters, cut at blanks where there are any; what goes on is set in.</summary>
    private static IEnumerable<string> Wrapped(string sentence, int width)
    {
        var line = "";
        foreach (var word in sentence.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = " ";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        yield return line;
    }
}
