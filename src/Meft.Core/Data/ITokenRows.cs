namespace Meft.Core.Data;

/// <summary>The rows that a file gave: a range of the rows' numbers.</summary>
/// <param name="File">The file as it was named.</param>
/// <param name="First">The number of its first row.</param>
/// <param name="Count">How many rows it gave.</param>
public readonly record struct FileRows(string File, int First, int Count);

/// <summary>
/// Rows of tokens by number, in the order of their files. Their sizes come from an index: whoever asks for them reads no token. Asking for a
/// row itself may read it from disk, from any thread.
/// </summary>
public interface ITokenRows : IReadOnlyList<TokenRow>
{
    /// <summary>Where the rows came from; the ranges follow one another. A file listed twice in a row gives one range.</summary>
    IReadOnlyList<FileRows> Files { get; }

    /// <summary>The tokens of a row.</summary>
    int LengthOf(int row);

    /// <summary>The tokens of a row that the loss counts.</summary>
    int TrainedTokensOf(int row);
}

/// <summary>What holds for all <see cref="ITokenRows"/>.</summary>
public static class TokenRows
{
    /// <summary>Rows with their index; a list in memory is its own.</summary>
    public static ITokenRows Of(IReadOnlyList<TokenRow> rows) => rows as ITokenRows ?? new ListedRows(rows);

    /// <summary>The rows by length, the shortest first, those of a length in their order; each is read when it is reached.</summary>
    public static IEnumerable<TokenRow> ByLength(this IReadOnlyList<TokenRow> rows)
    {
        var indexed = Of(rows);
        return Enumerable.Range(0, indexed.Count).OrderBy(indexed.LengthOf).Select(row => indexed[row]);
    }
}
