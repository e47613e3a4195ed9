using System.Runtime.CompilerServices;

namespace Meft.Kernels.Attention;

/// <summary>Queries that are worked on together.</summary>
/// <param name="First">The first query of the piece: token · group + head.</param>
/// <param name="Rows">How many.</param>
/// <param name="FirstKey">The first key that any of them may see, rounded down to a whole register.</param>
/// <param name="Width">Keys from there, rounded up to a whole register.</param>
internal readonly record struct QueryBlock(int First, int Rows, int FirstKey, int Width);

/// <summary>One row and key head: the mapping between its tokens and float32 scratch. Widths are padded with zeros.</summary>
internal readonly unsafe struct AttentionPiece(AttentionShape shape, int row, int keyHead)
{
    private readonly int _keys = shape.Starts[row] + shape.Lengths[row];

    /// <summary>The head size, padded.</summary>
    public int HeadWidth { get; } = Padded(shape.HeadSize);

    /// <summary>The number of keys, padded.</summary>
    public int KeyWidth { get; } = Padded(shape.Starts[row] + shape.Lengths[row]);

    /// <summary>The blocks that together are all queries of the piece.</summary>
    public IEnumerable<QueryBlock> Blocks(int rows)
    {
        var queries = shape.Lengths[row] * shape.Group;
        var start = shape.Starts[row];
        for (var first = 0; first < queries; first += rows)
        {
            var count = Math.Min(rows, queries - first);
            int oldest = start + first / shape.Group, newest = start + (first + count - 1) / shape.Group;
            var firstSeen = shape.Window is { } window ? Math.Max(0, oldest - window + 1) : 0;
            var firstKey = firstSeen / TileProduct.WidthMultiple * TileProduct.WidthMultiple;
            yield return new QueryBlock(first, count, firstKey, Padded(newest + 1 - firstKey));
        }
    }

    /// <summary>The keys that a block's query sees, counted from the block's first key: [from, to).</summary>
    public (int From, int To) Seen(QueryBlock block, int r)
    {
        var position = shape.Starts[row] + (block.First + r) / shape.Group;
        var from = shape.Window is { } window ? Math.Max(0, position - window + 1) : 0;
        return (from - block.FirstKey, position + 1 - block.FirstKey);
    }

    /// <summary>Loads keys or values as they are, [keys, hd], or transposed, [hd, keys], or both.</summary>
    /// <param name="source">The memory that the shape describes.</param>
    /// <param name="format">Its format.</param>
    /// <param name="line">Scratch for one head.</param>
    /// <param name="plain">[keys, hd], or null.</param>
    /// <param name="transposed">[hd, keys], or null.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void LoadKeys(nint source, FloatFormat format, float* line, float* plain, float* transposed)
    {
        int keyWidth = KeyWidth, headWidth = HeadWidth;
        if (transposed is not null) new Span<float>(transposed, keyWidth * headWidth).Clear();
        if (plain is not null && keyWidth > _keys) new Span<float>(plain + (long)_keys * headWidth, (keyWidth - _keys) * headWidth).Clear();
        for (var key = 0; key < _keys; key++)
        {
            var to = plain is null ? line : plain + (long)key * headWidth;
            FloatRows.Load(Address(source, format, key), format, to, shape.HeadSize);
            if (plain is not null) new Span<float>(to + shape.HeadSize, headWidth - shape.HeadSize).Clear();
            if (transposed is null) continue;
            for (var d = 0; d < shape.HeadSize; d++) transposed[(long)d * keyWidth + key] = to[d];
        }
    }

    /// <summary>Stores [keys, hd] to where the keys lie.</summary>
    public void StoreKeys(float* source, nint destination, FloatFormat format)
    {
        for (var key = 0; key < _keys; key++)
            FloatRows.Store(source + (long)key * HeadWidth, 1, Address(destination, format, key), format, shape.HeadSize);
    }

    /// <summary>Loads a block's queries, or what is shaped like them, [rows, hd].</summary>
    public void LoadQueries(QueryBlock block, nint source, FloatFormat format, float* destination, float scale)
    {
        for (var r = 0; r < block.Rows; r++)
        {
            var to = destination + r * HeadWidth;
            FloatRows.Load(FloatRows.At(source, Element(block, r), format), format, to, shape.HeadSize, scale);
            new Span<float>(to + shape.HeadSize, HeadWidth - shape.HeadSize).Clear();
        }
    }

    /// <summary>Stores [rows, hd] to where a block's queries lie.</summary>
    public void StoreQueries(QueryBlock block, float* source, float scale, nint destination, FloatFormat format)
    {
        for (var r = 0; r < block.Rows; r++)
            FloatRows.Store(source + r * HeadWidth, scale, FloatRows.At(destination, Element(block, r), format), format, shape.HeadSize);
    }

    private static int Padded(int size) => (size + TileProduct.WidthMultiple - 1) / TileProduct.WidthMultiple * TileProduct.WidthMultiple;

    private long Element(QueryBlock block, int r) => shape.QueryElement(
        row, (block.First + r) / shape.Group, keyHead * shape.Group + (block.First + r) % shape.Group);

    private nint Address(nint start, FloatFormat format, int key) =>
        FloatRows.At(start, shape.KeyElement(row, keyHead) + key * shape.TokenStride, format);
}
