using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Grouped-query attention over packed tokens. H query heads share Hkv key and value heads in groups of G = H / Hkv neighbours.
/// </summary>
internal static class Attention
{
    /// <summary>
    /// q [T, H, hd], k and v [T, Hkv, hd] → [T, H·hd]. Each token sees the tokens of its own row up to itself, the last ones of
    /// them where there is a window.
    /// </summary>
    public static Tensor Within(Tensor q, Tensor k, Tensor v, TokenLayout layout, AttentionTerms terms)
    {
        if (HostFloats.Takes(q)) return HostAttention.Within(q, k, v, layout, terms);
        if (layout.IsSparse) return ByClass(q, k, v, layout.Classes, terms);
        using var scope = NewDisposeScope();
        long heads = q.shape[1], group = heads / k.shape[1];
        var mask = terms.Window < layout.Length || terms.SoftCap is not null ? layout.Mask(layout.Length, terms.Window, q.dtype) : null;
        Tensor result; // [B·S, H, hd]
        if (layout.Rows == 1)
        {
            // One row: heads become the batch, and a group's queries share their keys without a copy.
            result = Attend(Grouped(q, group), Shared(k, group), Shared(v, group), mask, causal: true, terms)
                .flatten(0, 1).transpose(0, 1);
        }
        else
        {
            result = Attend(Spread(q, layout, 1), Spread(k, layout, group), Spread(v, layout, group), mask, causal: true, terms)
                .transpose(1, 2).flatten(0, 1);
        }
        return GatherTokens.Apply(result.flatten(1), layout).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// q [T, H, hd] → [T, H·hd], over a layer's cached keys and values, which already hold those of the T tokens; key j of a row is
    /// its position j.
    /// </summary>
    public static Tensor OverCache(Tensor q, KeyValueCache cache, int layer, TokenLayout layout, AttentionTerms terms)
    {
        var (keys, values) = cache.Layer(layer);
        if (HostFloats.Takes(q)) return HostAttention.OverCache(q, keys, values, cache.Slots, layout, terms);
        using var scope = NewDisposeScope();
        // Views [B, Hkv, L, hd] of what the rows have reached.
        var seen = layout.Starts.Zip(layout.Lengths, (start, count) => start + count).Max();
        keys = keys.narrow(0, 0, layout.Rows).narrow(2, 0, seen);
        values = values.narrow(0, 0, layout.Rows).narrow(2, 0, seen);
        long rows = layout.Rows, heads = q.shape[1], size = q.shape[2], keyHeads = keys.shape[1], length = keys.shape[2];
        var even = layout.TokenCount == layout.Rows && layout.Starts.All(start => start == length - 1);
        var mask = even && !(terms.Window < length) ? null : layout.Mask((int)length, terms.Window, q.dtype);
        if (layout.TokenCount == layout.Rows && layout.Length == 1)
        {
            // One token a row: the queries of a group take the place of a sequence, and keys are read once for all of them.
            var one = Attend(q.view(rows, keyHeads, heads / keyHeads, size), keys, values, mask, causal: false, terms);
            return one.reshape(rows, heads * size).MoveToOuterDisposeScope();
        }
        var group = heads / keyHeads;
        var result = Attend(Spread(q, layout, 1), Repeated(keys, group), Repeated(values, group), mask, causal: false, terms);
        return GatherTokens.Apply(result.transpose(1, 2).flatten(0, 1).flatten(1), layout).MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Within"/>, the rows of each class of like length apart: less than half of what is spread is then padding.</summary>
    private static Tensor ByClass(Tensor q, Tensor k, Tensor v, LengthClasses classes, AttentionTerms terms)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = [.. new[] { q, k, v }.Select(x => ReorderTokens.Apply(x, classes.Order, classes.Places))];
        var first = 0L;
        var results = new List<Tensor>();
        foreach (var layout in classes.Layouts)
        {
            Tensor[] own = [.. inputs.Select(x => x.narrow(0, first, layout.TokenCount))];
            results.Add(Within(own[0], own[1], own[2], layout, terms));
            first += layout.TokenCount;
        }
        return ReorderTokens.Apply(cat(results), classes.Places, classes.Order).MoveToOuterDisposeScope();
    }

    private static Tensor Attend(Tensor q, Tensor k, Tensor v, Tensor? mask, bool causal, AttentionTerms terms)
    {
        if (terms.SoftCap is not null) return CappedAttention.Apply(q, k, v, mask, terms);
        // libtorch divides by the root of the head size; another scale goes onto the queries.
        var factor = terms.Scale * Math.Sqrt(q.shape[^1]);
        if (Math.Abs(factor - 1) > 1e-12) q = q.Times(factor);
        return nn.functional.scaled_dot_product_attention(q, k, v, mask, is_casual: causal && mask is null);
    }

    /// <summary>x [T, H, hd] of a single row → a view [H/group, group, T, hd].</summary>
    private static Tensor Grouped(Tensor x, long group) => x.transpose(0, 1).unflatten(0, -1, group);

    /// <summary>x [T, Hkv, hd] of a single row → a view [Hkv, group, T, hd] in which a group's heads are the same memory.</summary>
    private static Tensor Shared(Tensor x, long group) => x.transpose(0, 1).unsqueeze(1).expand(-1, group, -1, -1);

    /// <summary>x [T, H, hd] → [B, H·repeat, S, hd], every head <paramref name="repeat"/> times in a row.</summary>
    private static Tensor Spread(Tensor x, TokenLayout layout, long repeat)
    {
        long heads = x.shape[1], size = x.shape[2];
        var spread = SpreadTokens.Apply(x, layout).view(layout.Rows, layout.Length, heads, size).transpose(1, 2);
        return Repeated(spread, repeat);
    }

    /// <summary>x [B, H, S, hd] → [B, H·repeat, S, hd].</summary>
    private static Tensor Repeated(Tensor x, long repeat) =>
        repeat == 1 ? x : x.unsqueeze(2).expand(-1, -1, repeat, -1, -1).flatten(1, 2);
}
