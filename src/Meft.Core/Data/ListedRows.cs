using System.Collections;

namespace Meft.Core.Data;

/// <summary>Rows held in memory.</summary>
/// <param name="rows">The rows; not copied.</param>
internal sealed class ListedRows(IReadOnlyList<TokenRow> rows) : ITokenRows
{
    private readonly Lazy<IReadOnlyList<FileRows>> _files = new(() => RangesOf(rows));

    /// <inheritdoc/>
    public int Count => rows.Count;

    /// <inheritdoc/>
    public TokenRow this[int index] => rows[index];

    /// <inheritdoc/>
    public IReadOnlyList<FileRows> Files => _files.Value;

    /// <inheritdoc/>
    public int LengthOf(int row) => rows[row].Length;

    /// <inheritdoc/>
    public int TrainedTokensOf(int row) => rows[row].TrainedTokens;

    /// <inheritdoc/>
    public IEnumerator<TokenRow> GetEnumerator() => rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static List<FileRows> RangesOf(IReadOnlyList<TokenRow> rows)
    {
        var ranges = new List<FileRows>();
        for (var row = 0; row < rows.Count; row++)
        {
            var file = rows[row].Origin.File;
            if (ranges.Count > 0 && ranges[^1].File == file) ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
            else ranges.Add(new FileRows(file, row, 1));
        }
        return ranges;
    }
}
