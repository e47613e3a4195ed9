using Meft.Kernels.Simd;

namespace Meft.Kernels.Attention;

/// <summary>
/// Causal grouped-query attention over packed tokens, forward and backward, in float32 whatever the format of its memory. A
/// piece of work is a row and a key head: its keys and values are brought to float32 once, and blocks of queries of all heads of
/// the group go through them, so that scores never exist for more than a block. Pieces share nothing: the number of threads
/// changes no bit.
/// </summary>
public static unsafe class PackedAttention
{
    /// <summary>Queries of a block: tokens, each with all heads of the group.</summary>
    private const int BlockRows = 16;

    /// <summary>o = softmax(cap(scale · q·kᵀ))·v, each token over its own row up to itself.</summary>
    /// <param name="shape">Where everything lies.</param>
    /// <param name="format">The format of q, k, v and output.</param>
    /// <param name="q">[T, H, hd].</param>
    /// <param name="k">Keys, as the shape says.</param>
    /// <param name="v">Values, as the keys.</param>
    /// <param name="output">[T, H, hd], written.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Forward(
        AttentionShape shape, FloatFormat format, nint q, nint k, nint v, nint output, SimdWidth? width = null)
    {
        var job = new Job(shape, format, q, k, v, output);
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: ForEachPiece(shape, (row, head) => Forward<Simd512>(job, row, head)); break;
            case SimdWidth.Bits256: ForEachPiece(shape, (row, head) => Forward<Simd256>(job, row, head)); break;
            case SimdWidth.Bits128: ForEachPiece(shape, (row, head) => Forward<Simd128>(job, row, head)); break;
            default: ForEachPiece(shape, (row, head) => Forward<SimdScalar>(job, row, head)); break;
        }
    }

    /// <summary>The gradients of <see cref="Forward"/>, for packed keys.</summary>
    /// <param name="shape">As in the forward pass.</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="q">[T, H, hd].</param>
    /// <param name="k">[T, Hkv, hd].</param>
    /// <param name="v">[T, Hkv, hd].</param>
    /// <param name="gradients">The result's gradient [T, H, hd], and where to write those of q, k and v, shaped like them.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Backward(
        AttentionShape shape, FloatFormat format, nint q, nint k, nint v, AttentionGradients gradients,
        SimdWidth? width = null)
    {
        if (shape.RowStride is not null) throw new ArgumentException("keys in a cache have no gradient", nameof(shape));
        var job = new Job(shape, format, q, k, v, 0);
        switch (width ?? SimdSupport.Widest)
        {
            case SimdWidth.Bits512: ForEachPiece(shape, (row, head) => Backward<Simd512>(job, gradients, row, head)); break;
            case SimdWidth.Bits256: ForEachPiece(shape, (row, head) => Backward<Simd256>(job, gradients, row, head)); break;
            case SimdWidth.Bits128: ForEachPiece(shape, (row, head) => Backward<Simd128>(job, gradients, row, head)); break;
            default: ForEachPiece(shape, (row, head) => Backward<SimdScalar>(job, gradients, row, head)); break;
        }
    }

    private static void ForEachPiece(AttentionShape shape, Action<int, int> piece) =>
        KernelThreads.For(shape.Lengths.Count * shape.KeyHeads, grain: 1, (from, to) =>
        {
            for (var i = from; i < to; i++)
            {
                var row = i / shape.KeyHeads;
                if (shape.Lengths[row] > 0) piece(row, i % shape.KeyHeads);
            }
        });

    private static void Forward<TSimd>(Job job, int row, int keyHead) where TSimd : unmanaged, ISimd<TSimd>
    {
        var piece = new AttentionPiece(job.Shape, row, keyHead);
        int hd = piece.HeadWidth, keys = piece.KeyWidth;
        using var scratch = new AttentionScratch(2L * hd * keys + BlockRows * (2L * hd + keys));
        float* kT = scratch.Take((long)hd * keys), v = scratch.Take((long)keys * hd); // [hd, keys], [keys, hd]
        float* q = scratch.Take(BlockRows * hd), scores = scratch.Take(BlockRows * keys), o = scratch.Take(BlockRows * hd);
        piece.LoadKeys(job.K, job.Format, o, null, kT);
        piece.LoadKeys(job.V, job.Format, o, v, null);
        foreach (var block in piece.Blocks(BlockRows))
        {
            piece.LoadQueries(block, job.Q, job.Format, q, job.Shape.Scale);
            TileProduct.Multiply<TSimd>(
                block.Rows, block.Width, hd, new(q, hd), new(kT + block.FirstKey, keys), new(scores, keys), accumulate: false);
            for (var r = 0; r < block.Rows; r++)
            {
                var (from, to) = piece.Seen(block, r);
                if (job.Shape.SoftCap is { } cap) SoftmaxRow.Cap(scores + r * keys, cap, block.Width);
                SoftmaxRow.Softmax(scores + r * keys, from, to, block.Width);
            }
            TileProduct.Multiply<TSimd>(
                block.Rows, hd, block.Width, new(scores, keys), new(v + (long)block.FirstKey * hd, hd), new(o, hd), accumulate: false);
            piece.StoreQueries(block, o, 1, job.Output, job.Format);
        }
    }

    private static void Backward<TSimd>(Job job, AttentionGradients gradients, int row, int keyHead)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var piece = new AttentionPiece(job.Shape, row, keyHead);
        int hd = piece.HeadWidth, keys = piece.KeyWidth;
        using var scratch = new AttentionScratch(5L * hd * keys + BlockRows * (4L * hd + 2L * keys) + keys);
        float* k = scratch.Take((long)keys * hd), kT = scratch.Take((long)hd * keys), vT = scratch.Take((long)hd * keys);
        float* dk = scratch.Take((long)keys * hd), dv = scratch.Take((long)keys * hd);
        float* q = scratch.Take(BlockRows * hd), o = scratch.Take(BlockRows * hd);
        float* dO = scratch.Take(BlockRows * hd), dq = scratch.Take(BlockRows * hd);
        float* p = scratch.Take(BlockRows * keys), ds = scratch.Take(BlockRows * keys), slope = scratch.Take(keys);
        piece.LoadKeys(job.K, job.Format, o, k, kT);
        piece.LoadKeys(job.V, job.Format, o, null, vT);
        new Span<float>(dk, keys * hd).Clear();
        new Span<float>(dv, keys * hd).Clear();
        foreach (var block in piece.Blocks(BlockRows))
        {
            piece.LoadQueries(block, job.Q, job.Format, q, job.Shape.Scale);
            piece.LoadQueries(block, gradients.Output, job.Format, dO, 1);
            int first = block.FirstKey, width = block.Width;
            TileProduct.Multiply<TSimd>(block.Rows, width, hd, new(q, hd), new(kT + first, keys), new(p, keys), accumulate: false);
            TileProduct.Multiply<TSimd>(block.Rows, width, hd, new(dO, hd), new(vT + first, keys), new(ds, keys), accumulate: false);
            for (var r = 0; r < block.Rows; r++)
            {
                // p = softmax(s), as in the forward pass; ds = p · (dp − Σ dp·p). The sum over these very numbers, and not the product of
                // result and gradient that equals it in exact arithmetic, makes a row of ds sum to zero as it should.
                var (from, to) = piece.Seen(block, r);
                if (job.Shape.SoftCap is { } cap) SoftmaxRow.Cap(p + r * keys, cap, width, slope);
                SoftmaxRow.Softmax(p + r * keys, from, to, width);
                SoftmaxRow.Differentiate(p + r * keys, ds + r * keys, SoftmaxRow.Dot(p + r * keys, ds + r * keys, width), width);
                if (job.Shape.SoftCap is not null) SoftmaxRow.Multiply(ds + r * keys, slope, width);
            }
            // dv += pᵀ·do and dk += dsᵀ·(scale·q), dq = scale · ds·k.
            var firstRow = (long)first * hd;
            TileProduct.Multiply<TSimd>(width, hd, block.Rows, new(p, 1, keys), new(dO, hd), new(dv + firstRow, hd), accumulate: true);
            TileProduct.Multiply<TSimd>(width, hd, block.Rows, new(ds, 1, keys), new(q, hd), new(dk + firstRow, hd), accumulate: true);
            TileProduct.Multiply<TSimd>(block.Rows, hd, width, new(ds, keys), new(k + firstRow, hd), new(dq, hd), accumulate: false);
            piece.StoreQueries(block, dq, job.Shape.Scale, gradients.Q, job.Format);
        }
        piece.StoreKeys(dk, gradients.K, job.Format);
        piece.StoreKeys(dv, gradients.V, job.Format);
    }

    private sealed record Job(AttentionShape Shape, FloatFormat Format, nint Q, nint K, nint V, nint Output);
}

/// <summary>Addresses of gradients: the result's, which is read, and those that are written.</summary>
/// <param name="Output">[T, H, hd].</param>
/// <param name="Q">[T, H, hd].</param>
/// <param name="K">[T, Hkv, hd].</param>
/// <param name="V">[T, Hkv, hd].</param>
public sealed record AttentionGradients(nint Output, nint Q, nint K, nint V);
