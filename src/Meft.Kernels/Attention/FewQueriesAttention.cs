using System.Buffers;
using System.Runtime.CompilerServices;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Attention;

/// <summary>
/// Causal grouped-query attention of a few new tokens over a cache, as in generating: keys and values are read once where they lie,
/// without being brought to float32 first, and all query heads of a group share the reading. A token and key head are summed by one
/// thread in a fixed order.
/// </summary>
[SkipLocalsInit]
public static unsafe class FewQueriesAttention
{
    /// <summary>Queries whose sums of values are in registers at once.</summary>
    private const int Queries = 4;

    /// <summary>Scratch of up to so many floats lies on the stack.</summary>
    private const int FloatsOfStack = 1 << 13;

    /// <summary>o = softmax(cap(scale · q·kᵀ))·v, each token over its own row up to itself.</summary>
    /// <param name="shape">Where everything lies; keys in a cache.</param>
    /// <param name="format">The format of q, k, v and output.</param>
    /// <param name="q">[T, H, hd].</param>
    /// <param name="k">Keys, as the shape says.</param>
    /// <param name="v">Values, as the keys.</param>
    /// <param name="output">[T, H, hd], written.</param>
    /// <param name="width">The register width; for tests.</param>
    public static void Forward(AttentionShape shape, FloatFormat format, nint q, nint k, nint v, nint output, SimdWidth? width = null)
    {
        if (shape.RowStride is null) throw new ArgumentException("keys are not in a cache", nameof(shape));
        var work = new Work(shape, format, q, k, v, output, width ?? SimdSupport.Widest);
        KernelThreads.For(work.Count, grain: 1, ref work);
    }

    private readonly struct Work(AttentionShape shape, FloatFormat format, nint q, nint k, nint v, nint output, SimdWidth width) : IRangeWork
    {
        public int Count => (shape.Offsets[^1] + shape.Lengths[^1]) * shape.KeyHeads;

        public void Run(int from, int to)
        {
            for (var item = from; item < to; item++)
            {
                var (token, keyHead) = Math.DivRem(item, shape.KeyHeads);
                var row = shape.Lengths.Count - 1;
                while (shape.Offsets[row] > token || shape.Lengths[row] == 0) row--;
                switch (width)
                {
                    case SimdWidth.Bits512: Run<Simd512>(row, token - shape.Offsets[row], keyHead); break;
                    case SimdWidth.Bits256: Run<Simd256>(row, token - shape.Offsets[row], keyHead); break;
                    case SimdWidth.Bits128: Run<Simd128>(row, token - shape.Offsets[row], keyHead); break;
                    default: Run<SimdScalar>(row, token - shape.Offsets[row], keyHead); break;
                }
            }
        }

        private void Run<TSimd>(int row, int token, int keyHead) where TSimd : unmanaged, ISimd<TSimd>
        {
            if (format == FloatFormat.Single) Run<TSimd, SingleWeights>(row, token, keyHead);
            else Run<TSimd, BFloat16Weights>(row, token, keyHead);
        }

        private void Run<TSimd, TFormat>(int row, int token, int keyHead) where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
        {
            int size = shape.HeadSize, group = shape.Group, position = shape.Starts[row] + token;
            var first = shape.Window is { } window ? Math.Max(0, position - window + 1) : 0;
            var keys = position + 1 - first;
            var padded = (keys + TileProduct.WidthMultiple - 1) / TileProduct.WidthMultiple * TileProduct.WidthMultiple;
            var stride = padded + TileProduct.WidthMultiple; // with room for the overrun of the last sums
            int vectors = VectorDots.PreparedLength(group, size), needed = vectors + group * stride;
            var rented = needed > FloatsOfStack ? ArrayPool<float>.Shared.Rent(needed) : null;
            fixed (float* scratch = rented ?? stackalloc float[FloatsOfStack])
            {
                var heads = (nint)shape.QueryElement(row, token, keyHead * group) * TFormat.Bytes;
                var seen = (nint)(shape.KeyElement(row, keyHead) + (long)first * size) * TFormat.Bytes;
                var scores = scratch + vectors;
                VectorDots.Prepare<TSimd, TFormat>(q + heads, group, size, shape.Scale, scratch);
                VectorDots.Compute<TSimd, TFormat>(scratch, group, k + seen, keys, size, scores, stride);
                for (var i = 0; i < group; i++)
                {
                    if (shape.SoftCap is { } cap) SoftmaxRow.Cap(scores + i * stride, cap, padded);
                    SoftmaxRow.Softmax(scores + i * stride, 0, keys, padded);
                }
                for (var i = 0; i < group; i += Queries)
                {
                    var count = Math.Min(Queries, group - i);
                    SumValues<TSimd, TFormat>(
                        scores + i * stride, stride, count, v + seen, keys, size, output + heads + (nint)i * size * TFormat.Bytes);
                }
            }
            if (rented is not null) ArrayPool<float>.Shared.Return(rented);
        }
    }

    /// <summary>results[i] = Σ over j of weights[i·stride + j] · values[j], for up to four i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumValues<TSimd, TFormat>(float* weights, int stride, int count, nint values, int keys, int size, nint results)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        // Past the last query the last one is computed again and dropped.
        float* w0 = weights, w1 = weights + Math.Min(1, count - 1) * stride, w2 = weights + Math.Min(2, count - 1) * stride;
        var w3 = weights + (count - 1) * stride;
        var d = 0;
        for (; d <= size - 2 * TSimd.Lanes; d += 2 * TSimd.Lanes)
        {
            TSimd a0 = TSimd.Zero, a1 = TSimd.Zero, a2 = TSimd.Zero, a3 = TSimd.Zero;
            TSimd b0 = TSimd.Zero, b1 = TSimd.Zero, b2 = TSimd.Zero, b3 = TSimd.Zero;
            for (var j = 0; j < keys; j++)
            {
                var at = values + (nint)j * size * TFormat.Bytes;
                TSimd a = TFormat.First<TSimd>(at, d), b = TFormat.Second<TSimd>(at, d);
                var w = TSimd.Broadcast(w0[j]);
                a0 = TSimd.MultiplyAdd(w, a, a0);
                b0 = TSimd.MultiplyAdd(w, b, b0);
                w = TSimd.Broadcast(w1[j]);
                a1 = TSimd.MultiplyAdd(w, a, a1);
                b1 = TSimd.MultiplyAdd(w, b, b1);
                w = TSimd.Broadcast(w2[j]);
                a2 = TSimd.MultiplyAdd(w, a, a2);
                b2 = TSimd.MultiplyAdd(w, b, b2);
                w = TSimd.Broadcast(w3[j]);
                a3 = TSimd.MultiplyAdd(w, a, a3);
                b3 = TSimd.MultiplyAdd(w, b, b3);
            }
            var next = (nint)size * TFormat.Bytes;
            TFormat.StorePair(a0, b0, results, d);
            if (count > 1) TFormat.StorePair(a1, b1, results + next, d);
            if (count > 2) TFormat.StorePair(a2, b2, results + 2 * next, d);
            if (count > 3) TFormat.StorePair(a3, b3, results + 3 * next, d);
        }
        for (var i = 0; i < count; i++)
        {
            for (var e = d; e < size; e++)
            {
                var sum = 0f;
                for (var j = 0; j < keys; j++)
                    sum = MathF.FusedMultiplyAdd(weights[i * stride + j], TFormat.Load(values + (nint)j * size * TFormat.Bytes, e), sum);
                TFormat.Store(sum, results + (nint)i * size * TFormat.Bytes, e);
            }
        }
    }
}
