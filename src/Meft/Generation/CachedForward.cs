using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Generation;

/// <summary>A decoder's step behind a cache.</summary>
internal static class CachedForward
{
    /// <summary>Runs new tokens of each row → the normed hidden state of each row's last one [B, D].</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="ids">The new tokens, packed row after row.</param>
    /// <param name="counts">How many each row brings, at least one.</param>
    /// <param name="cache">What the rows hold already; the new tokens are added.</param>
    /// <param name="adapter">What runs beside the feed-forward blocks, or null.</param>
    public static Tensor Feed(this Decoder decoder, long[] ids, int[] counts, KeyValueCache cache, IDecoderAdapter? adapter)
    {
        using var scope = NewDisposeScope();
        using var layout = cache.Next(counts);
        var h = decoder.Forward(tensor(ids, int64, decoder.Device), layout, cache, adapter);
        return (layout.TokenCount == layout.Rows ? h : h.index_select(0, layout.LastTokens())).MoveToOuterDisposeScope();
    }
}
