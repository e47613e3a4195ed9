namespace Meft.Cli.Views;

/// <summary>A table in plain text: the first column to the left, all others to the right.</summary>
/// <param name="heads">The columns' names.</param>
internal sealed class AlignedTable(params IReadOnlyList<string> heads)
{
    private readonly List<IReadOnlyList<string>> _rows = [heads];

    /// <summary>Adds a row of as many cells as there are columns.</summary>
    public void Add(params IReadOnlyList<string> cells) => _rows.Add(cells);

    /// <summary>Writes the table, two blanks between columns.</summary>
    public void Write(TextWriter text)
    {
        var widths = Enumerable.Range(0, heads.Count).Select(c => _rows.Max(row => row[c].Length)).ToArray();
        foreach (var row in _rows)
            text.WriteLine(string.Join("  ", row.Select((cell, c) => c == 0 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]))).TrimEnd());
    }
}
