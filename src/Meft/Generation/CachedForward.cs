using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Generation;

/// <summary>A decoder's step behind a cache.</summary>
internal static class CachedForward
{
    /// <summary>
    /// Runs what the cache does not hold yet of each row → the normed hidden state of each row's last token [B, D]. A row that grows beyond the length up
    /// to which its rope has one kind of frequencies is run from its beginning: its earlier tokens were turned by others.
    /// </summary>
    /// <param name="decoder">The model.</param>
    /// <param name="rows">The ids of each row, from its beginning; at least one more than the cache holds.</param>
    /// <param name="cache">What the rows hold already; the new tokens are added.</param>
    /// <param name="adapter">What runs beside the feed-forward blocks, or null.</param>
    public static Tensor Feed(this Decoder decoder, IReadOnlyList<IReadOnlyList<int>> rows, KeyValueCache cache, IDecoderAdapter? adapter)
    {
        using var scope = NewDisposeScope();
        for (var row = 0; row < rows.Count; row++)
            if (decoder.Config.Rope.ChangesBetween(cache.Lengths[row], rows[row].Count)) cache.ForgetRow(row);
        var counts = rows.Select((tokens, row) => tokens.Count - cache.Lengths[row]).ToArray();
        var ids = rows.SelectMany((tokens, row) => Enumerable.Range(cache.Lengths[row], counts[row]).Select(i => (long)tokens[i])).ToArray();
        using var layout = cache.Next(counts);
        var h = decoder.Forward(tensor(ids, int64, decoder.Device), layout, cache, adapter);
        return (layout.TokenCount == layout.Rows ? h : h.index_select(0, layout.LastTokens())).MoveToOuterDisposeScope();
    }
}
