namespace Meft.Adapters;

/// <summary>
/// The active neurons of a micro-batch in one layer, as flat arrays: token → rows, and its transpose row → tokens.
/// Both directions are in ascending order, so every sum over them runs in a fixed order. The arrays come from a pool and go back to it with
/// <see cref="Dispose"/>, after the backward pass; without it they are left to the garbage collector.
/// </summary>
internal sealed class ActiveSet : IDisposable
{
    private readonly ActiveEntries _entries;
    private readonly UnionIndex _union;

    /// <summary>Builds the transpose of a token-major selection.</summary>
    /// <param name="routing">Who probed what; null without a router.</param>
    /// <param name="tokenStarts">[T + 1]: the entries of token t are tokenStarts[t] … tokenStarts[t+1]−1.</param>
    /// <param name="entries">The entries, rows ascending within a token and scores positive; owned by this object.</param>
    /// <param name="rank">R.</param>
    public ActiveSet(Routing? routing, int[] tokenStarts, ActiveEntries entries, int rank)
    {
        (Routing, TokenStarts, _entries) = (routing, tokenStarts, entries);
        _union = new UnionIndex(tokenStarts, entries.Rows, rank);
    }

    /// <summary>Who probed what; null without a router.</summary>
    public Routing? Routing { get; }

    /// <summary>T.</summary>
    public int TokenCount => TokenStarts.Length - 1;

    /// <summary>Active neurons, summed over the tokens.</summary>
    public int EntryCount => _entries.Count;

    /// <summary>U: distinct rows that were active.</summary>
    public int UnionCount => _union.Count;

    /// <summary>[T + 1].</summary>
    public int[] TokenStarts { get; }

    /// <summary>[entries]: row of each entry.</summary>
    public ReadOnlySpan<int> Rows => _entries.Rows;

    /// <summary>[entries]: s.</summary>
    public ReadOnlySpan<float> Scores => _entries.Scores;

    /// <summary>[entries]: K·x.</summary>
    public ReadOnlySpan<float> Products => _entries.Products;

    /// <summary>[entries]: probe of each entry within its token.</summary>
    public ReadOnlySpan<int> Probes => _entries.Probes;

    /// <summary>[U]: the active rows, ascending.</summary>
    public ReadOnlySpan<int> UnionRows => _union.Rows;

    /// <summary>[U + 1]: where each active row's tokens begin.</summary>
    public ReadOnlySpan<int> UnionStarts => _union.Starts;

    /// <summary>[entries]: tokens, by row.</summary>
    public ReadOnlySpan<int> UnionTokens => _union.Tokens;

    /// <summary>[entries]: for each place of the row-major order its entry in the token-major one.</summary>
    public ReadOnlySpan<int> UnionEntries => _union.Entries;

    /// <summary>Gives the arrays back; nothing but the counts of tokens may be asked for afterwards.</summary>
    public void Dispose()
    {
        _union.Dispose();
        _entries.Dispose();
    }
}
