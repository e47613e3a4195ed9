namespace Meft.Kernels.Attention;

/// <summary>
/// Where the queries, keys and values of a batch lie. Queries are packed, [T, H, hd]: the real tokens of all rows, one row after
/// another. Keys and values either are packed as well, [T, Hkv, hd], or wait in a cache, [B, Hkv, capacity, hd], that already
/// holds the T tokens.
/// </summary>
public sealed class AttentionShape
{
    private AttentionShape()
    {
    }

    /// <summary>H, the query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Hkv, the key and value heads; H / Hkv neighbouring query heads share one.</summary>
    public required int KeyHeads { get; init; }

    /// <summary>hd, the width of a head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>What the products of queries and keys are multiplied by.</summary>
    public required float Scale { get; init; }

    /// <summary>c of the smooth bound c · tanh(score / c) on scaled scores; null: none.</summary>
    public float? SoftCap { get; init; }

    /// <summary>How many last tokens a token sees, itself included; null for all of its row.</summary>
    public int? Window { get; init; }

    /// <summary>How many tokens each row brings.</summary>
    public required IReadOnlyList<int> Lengths { get; init; }

    /// <summary>The index of each row's first token among the T.</summary>
    public required IReadOnlyList<int> Offsets { get; init; }

    /// <summary>How many earlier tokens of each row the keys begin with.</summary>
    public required IReadOnlyList<int> Starts { get; init; }

    /// <summary>Where in the cache each row lies; null where row i lies at i.</summary>
    public IReadOnlyList<int>? Slots { get; private init; }

    /// <summary>Elements from a slot's key 0 to the next slot's; null where keys are packed.</summary>
    internal long? RowStride { get; private init; }

    /// <summary>Elements from head to head of the keys.</summary>
    internal long HeadStride { get; private init; }

    /// <summary>Elements from token to token of the keys.</summary>
    internal long TokenStride { get; private init; }

    /// <summary>H / Hkv.</summary>
    internal int Group => Heads / KeyHeads;

    /// <summary>Keys and values packed like the queries; each row begins at 0.</summary>
    public static AttentionShape Packed(
        IReadOnlyList<int> offsets, IReadOnlyList<int> lengths, int heads, int keyHeads, int headSize, float scale, int? window,
        float? softCap = null) => new()
        {
            Heads = heads,
            KeyHeads = keyHeads,
            HeadSize = headSize,
            Scale = scale,
            Window = window,
            SoftCap = softCap,
            Lengths = lengths,
            Offsets = offsets,
            Starts = new int[lengths.Count],
            HeadStride = headSize,
            TokenStride = (long)keyHeads * headSize,
        };

    /// <summary>Keys and values in a cache of a capacity; each row's new tokens follow its earlier ones.</summary>
    public static AttentionShape Cached(
        IReadOnlyList<int> offsets, IReadOnlyList<int> lengths, IReadOnlyList<int> starts, int capacity, int heads, int keyHeads,
        int headSize, float scale, int? window, IReadOnlyList<int>? slots = null, float? softCap = null) => new()
        {
            Heads = heads,
            KeyHeads = keyHeads,
            HeadSize = headSize,
            Scale = scale,
            Window = window,
            SoftCap = softCap,
            Lengths = lengths,
            Offsets = offsets,
            Starts = starts,
            Slots = slots,
            RowStride = (long)keyHeads * capacity * headSize,
            HeadStride = (long)capacity * headSize,
            TokenStride = headSize,
        };

    /// <summary>The element of a row's key 0 in a head.</summary>
    internal long KeyElement(int row, int keyHead) =>
        (RowStride is { } stride ? (Slots?[row] ?? row) * stride : Offsets[row] * TokenStride) + keyHead * HeadStride;

    /// <summary>The element of a query: token i of a row, in a head.</summary>
    internal long QueryElement(int row, int token, int head) => (((long)Offsets[row] + token) * Heads + head) * HeadSize;
}
