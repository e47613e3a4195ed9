namespace Meft.Adapters;

/// <summary>
/// The active neurons of a micro-batch in one layer, as flat arrays: token → rows, and its transpose row → tokens.
/// Both directions are in ascending order, so every sum over them runs in a fixed order.
/// </summary>
internal sealed class ActiveSet
{
    /// <summary>Builds the transpose of a token-major selection.</summary>
    /// <param name="routing">Who probed what; null without a router.</param>
    /// <param name="tokenStarts">[T + 1]: the entries of token t are tokenStarts[t] … tokenStarts[t+1]−1.</param>
    /// <param name="rows">[entries]: the row of each entry, ascending within a token.</param>
    /// <param name="scores">[entries]: s = c·(K·x), positive.</param>
    /// <param name="products">[entries]: K·x.</param>
    /// <param name="probes">[entries]: which probe of its token the entry came from.</param>
    /// <param name="rank">R.</param>
    public ActiveSet(Routing? routing, int[] tokenStarts, int[] rows, float[] scores, float[] products, int[] probes, int rank)
    {
        (Routing, TokenStarts, Rows, Scores, Products, Probes) = (routing, tokenStarts, rows, scores, products, probes);
        (UnionRows, UnionStarts, UnionTokens, UnionEntries) = Transpose(tokenStarts, rows, rank);
    }

    /// <summary>Who probed what; null without a router.</summary>
    public Routing? Routing { get; }

    /// <summary>T.</summary>
    public int TokenCount => TokenStarts.Length - 1;

    /// <summary>U: distinct rows that were active.</summary>
    public int UnionCount => UnionRows.Length;

    /// <summary>[T + 1].</summary>
    public int[] TokenStarts { get; }

    /// <summary>[entries]: row of each entry.</summary>
    public int[] Rows { get; }

    /// <summary>[entries]: s.</summary>
    public float[] Scores { get; }

    /// <summary>[entries]: K·x.</summary>
    public float[] Products { get; }

    /// <summary>[entries]: probe of each entry within its token.</summary>
    public int[] Probes { get; }

    /// <summary>[U]: the active rows, ascending.</summary>
    public int[] UnionRows { get; }

    /// <summary>[U + 1]: where each active row's tokens begin.</summary>
    public int[] UnionStarts { get; }

    /// <summary>[entries]: tokens, by row.</summary>
    public int[] UnionTokens { get; }

    /// <summary>[entries]: for each place of the row-major order its entry in the token-major one.</summary>
    public int[] UnionEntries { get; }

    /// <summary>Counting sort of the entries by row; stable, so a row's tokens stay ascending.</summary>
    private static (int[] Rows, int[] Starts, int[] Tokens, int[] Entries) Transpose(int[] tokenStarts, int[] rows, int rank)
    {
        var entryCount = tokenStarts[^1];
        var next = new int[rank];
        for (var i = 0; i < entryCount; i++) next[rows[i]]++;

        var distinct = 0;
        foreach (var count in next) distinct += count > 0 ? 1 : 0;
        var unionRows = new int[distinct];
        var starts = new int[distinct + 1];
        for (int row = 0, u = 0; row < rank; row++)
        {
            if (next[row] == 0) continue;
            unionRows[u] = row;
            starts[u + 1] = starts[u] + next[row];
            next[row] = starts[u++];
        }

        var tokens = new int[entryCount];
        var entries = new int[entryCount];
        for (var t = 0; t + 1 < tokenStarts.Length; t++)
        {
            for (var i = tokenStarts[t]; i < tokenStarts[t + 1]; i++)
            {
                var at = next[rows[i]]++;
                tokens[at] = t;
                entries[at] = i;
            }
        }
        return (unionRows, starts, tokens, entries);
    }
}
