using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Linear;

/// <summary>
/// Dot products of a few float32 vectors with rows of weights in either format. A sum runs along the row in one register, so that
/// its bits do not depend on what else is computed beside it.
/// </summary>
internal static unsafe class VectorDots
{
    /// <summary>Vectors of a group: so many share a read of the weights.</summary>
    private const int Group = 8;

    /// <summary>From so many vectors on, a group pays although its empty places are computed too.</summary>
    public const int LeastOfGroup = 5;

    private const int RowsOfGroup = 3, RowsOfOne = 4;

    /// <summary>Rows that a range had best be a multiple of.</summary>
    public const int RowMultiple = 12;

    /// <summary>Floats past a result that may be overwritten with anything before the next one is written.</summary>
    public const int Overrun = 3;

    /// <summary>What <paramref name="count"/> prepared vectors take, in floats.</summary>
    public static int PreparedLength(int count, int length) => (count + Group - 1) / Group * Group * Padded(length);

    /// <summary>
    /// Brings vectors to float32, their lanes in the order in which weights of the format are read; those of a group take turns, two registers
    /// each.
    /// </summary>
    /// <param name="x">[count, length], one after another.</param>
    /// <param name="count">How many vectors.</param>
    /// <param name="length">The length of a vector.</param>
    /// <param name="scale">What they are multiplied by.</param>
    /// <param name="prepared">As long as <see cref="PreparedLength"/> says.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Prepare<TSimd, TFormat>(nint x, int count, int length, float scale, float* prepared)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var factor = TSimd.Broadcast(scale);
        int step = 2 * TSimd.Lanes, whole = length / step * step;
        for (var v = 0; v < count; v += Group)
        {
            var inGroup = Math.Min(Group, count - v);
            var places = inGroup < LeastOfGroup ? 1 : Group;
            for (var g = 0; g < inGroup; g++)
            {
                var from = x + (nint)(v + g) * length * TFormat.Bytes;
                var to = prepared + (long)v * Padded(length) + (places == 1 ? (long)g * Padded(length) : g * step);
                for (var i = 0; i < whole; i += step, to += places * step)
                {
                    TSimd.Store(TSimd.Multiply(TFormat.First<TSimd>(from, i), factor), to);
                    TSimd.Store(TSimd.Multiply(TFormat.Second<TSimd>(from, i), factor), to + TSimd.Lanes);
                }
                for (var i = whole; i < length; i++) to[i - whole] = TFormat.Load(from, i) * scale;
            }
            if (places == 1) continue;
            for (var g = inGroup; g < Group; g++)
            {
                var to = prepared + (long)v * Padded(length) + g * step;
                for (var i = 0; i < whole; i += step, to += Group * step) new Span<float>(to, step).Clear();
                for (var i = whole; i < length; i++) to[i - whole] = 0;
            }
        }
    }

    /// <summary>sums[v·stride + r] = vectors[v] · rows[r] for v &lt; count and r &lt; rowCount.</summary>
    /// <param name="vectors">Prepared.</param>
    /// <param name="count">How many vectors.</param>
    /// <param name="rows">[rowCount, length], one after another.</param>
    /// <param name="rowCount">How many rows.</param>
    /// <param name="length">The length of a vector.</param>
    /// <param name="sums">The results.</param>
    /// <param name="stride">Floats from one vector's results to the next one's, at least rowCount + <see cref="Overrun"/>.</param>
    public static void Compute<TSimd, TFormat>(float* vectors, int count, nint rows, int rowCount, int length, float* sums, int stride)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        nint* w = stackalloc nint[RowsOfOne];
        var overflow = stackalloc float[Group * RowsOfOne];
        var rowBytes = (nint)length * TFormat.Bytes;
        // The vectors of a group stay in the nearest cache while the rows of the range go by.
        for (var v = 0; v < count; v += Group)
        {
            var x = vectors + (long)v * Padded(length);
            var inGroup = Math.Min(Group, count - v);
            var isGroup = inGroup >= LeastOfGroup;
            var step = isGroup ? RowsOfGroup : RowsOfOne;
            for (var r = 0; r < rowCount; r += step)
            {
                // Past the last row the last one is computed again and dropped.
                for (var i = 0; i < step; i++) w[i] = rows + Math.Min(r + i, rowCount - 1) * rowBytes;
                var to = sums + (long)v * stride + r;
                if (isGroup && inGroup == Group) EightByThree<TSimd, TFormat>(x, w, length, to, stride);
                else if (isGroup)
                {
                    EightByThree<TSimd, TFormat>(x, w, length, overflow, RowsOfOne);
                    for (var i = 0; i < inGroup; i++) Vector128.Load(overflow + i * RowsOfOne).Store(to + (long)i * stride);
                }
                else
                {
                    for (var i = 0; i < inGroup; i++) OneByFour<TSimd, TFormat>(x + (long)i * Padded(length), w, length, to + (long)i * stride);
                }
            }
        }
    }

    /// <summary>Up to whole pairs of the widest registers.</summary>
    private static int Padded(int length) => (length + 31) / 32 * 32;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void OneByFour<TSimd, TFormat>(float* x, nint* w, int length, float* results)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        nint w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
        var ahead = RowsOfOne * length;
        TSimd s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        var i = 0;
        for (; i <= length - 2 * TSimd.Lanes; i += 2 * TSimd.Lanes)
        {
            TFormat.Prefetch(w0, i + ahead);
            TFormat.Prefetch(w1, i + ahead);
            TFormat.Prefetch(w2, i + ahead);
            TFormat.Prefetch(w3, i + ahead);
            TSimd x0 = TSimd.Load(x + i), x1 = TSimd.Load(x + i + TSimd.Lanes);
            s0 = TSimd.MultiplyAdd(TFormat.Second<TSimd>(w0, i), x1, TSimd.MultiplyAdd(TFormat.First<TSimd>(w0, i), x0, s0));
            s1 = TSimd.MultiplyAdd(TFormat.Second<TSimd>(w1, i), x1, TSimd.MultiplyAdd(TFormat.First<TSimd>(w1, i), x0, s1));
            s2 = TSimd.MultiplyAdd(TFormat.Second<TSimd>(w2, i), x1, TSimd.MultiplyAdd(TFormat.First<TSimd>(w2, i), x0, s2));
            s3 = TSimd.MultiplyAdd(TFormat.Second<TSimd>(w3, i), x1, TSimd.MultiplyAdd(TFormat.First<TSimd>(w3, i), x0, s3));
        }
        TSimd.SumFour(s0, s1, s2, s3).Store(results);
        if (i < length) AddTail<TFormat>(x + i, w, RowsOfOne, i, length, results);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void EightByThree<TSimd, TFormat>(float* x, nint* w, int length, float* results, int stride)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        nint w0 = w[0], w1 = w[1], w2 = w[2];
        var ahead = RowsOfGroup * length;
        TSimd s00 = TSimd.Zero, s01 = TSimd.Zero, s02 = TSimd.Zero;
        TSimd s10 = TSimd.Zero, s11 = TSimd.Zero, s12 = TSimd.Zero;
        TSimd s20 = TSimd.Zero, s21 = TSimd.Zero, s22 = TSimd.Zero;
        TSimd s30 = TSimd.Zero, s31 = TSimd.Zero, s32 = TSimd.Zero;
        TSimd s40 = TSimd.Zero, s41 = TSimd.Zero, s42 = TSimd.Zero;
        TSimd s50 = TSimd.Zero, s51 = TSimd.Zero, s52 = TSimd.Zero;
        TSimd s60 = TSimd.Zero, s61 = TSimd.Zero, s62 = TSimd.Zero;
        TSimd s70 = TSimd.Zero, s71 = TSimd.Zero, s72 = TSimd.Zero;
        var i = 0;
        for (; i <= length - 2 * TSimd.Lanes; i += 2 * TSimd.Lanes, x += 2 * Group * TSimd.Lanes)
        {
            TFormat.Prefetch(w0, i + ahead);
            TFormat.Prefetch(w1, i + ahead);
            TFormat.Prefetch(w2, i + ahead);
            TSimd a = TFormat.First<TSimd>(w0, i), b = TFormat.First<TSimd>(w1, i), c = TFormat.First<TSimd>(w2, i);
            var v = TSimd.Load(x);
            s00 = TSimd.MultiplyAdd(a, v, s00);
            s01 = TSimd.MultiplyAdd(b, v, s01);
            s02 = TSimd.MultiplyAdd(c, v, s02);
            v = TSimd.Load(x + 2 * TSimd.Lanes);
            s10 = TSimd.MultiplyAdd(a, v, s10);
            s11 = TSimd.MultiplyAdd(b, v, s11);
            s12 = TSimd.MultiplyAdd(c, v, s12);
            v = TSimd.Load(x + 4 * TSimd.Lanes);
            s20 = TSimd.MultiplyAdd(a, v, s20);
            s21 = TSimd.MultiplyAdd(b, v, s21);
            s22 = TSimd.MultiplyAdd(c, v, s22);
            v = TSimd.Load(x + 6 * TSimd.Lanes);
            s30 = TSimd.MultiplyAdd(a, v, s30);
            s31 = TSimd.MultiplyAdd(b, v, s31);
            s32 = TSimd.MultiplyAdd(c, v, s32);
            v = TSimd.Load(x + 8 * TSimd.Lanes);
            s40 = TSimd.MultiplyAdd(a, v, s40);
            s41 = TSimd.MultiplyAdd(b, v, s41);
            s42 = TSimd.MultiplyAdd(c, v, s42);
            v = TSimd.Load(x + 10 * TSimd.Lanes);
            s50 = TSimd.MultiplyAdd(a, v, s50);
            s51 = TSimd.MultiplyAdd(b, v, s51);
            s52 = TSimd.MultiplyAdd(c, v, s52);
            v = TSimd.Load(x + 12 * TSimd.Lanes);
            s60 = TSimd.MultiplyAdd(a, v, s60);
            s61 = TSimd.MultiplyAdd(b, v, s61);
            s62 = TSimd.MultiplyAdd(c, v, s62);
            v = TSimd.Load(x + 14 * TSimd.Lanes);
            s70 = TSimd.MultiplyAdd(a, v, s70);
            s71 = TSimd.MultiplyAdd(b, v, s71);
            s72 = TSimd.MultiplyAdd(c, v, s72);
            a = TFormat.Second<TSimd>(w0, i);
            b = TFormat.Second<TSimd>(w1, i);
            c = TFormat.Second<TSimd>(w2, i);
            v = TSimd.Load(x + TSimd.Lanes);
            s00 = TSimd.MultiplyAdd(a, v, s00);
            s01 = TSimd.MultiplyAdd(b, v, s01);
            s02 = TSimd.MultiplyAdd(c, v, s02);
            v = TSimd.Load(x + 3 * TSimd.Lanes);
            s10 = TSimd.MultiplyAdd(a, v, s10);
            s11 = TSimd.MultiplyAdd(b, v, s11);
            s12 = TSimd.MultiplyAdd(c, v, s12);
            v = TSimd.Load(x + 5 * TSimd.Lanes);
            s20 = TSimd.MultiplyAdd(a, v, s20);
            s21 = TSimd.MultiplyAdd(b, v, s21);
            s22 = TSimd.MultiplyAdd(c, v, s22);
            v = TSimd.Load(x + 7 * TSimd.Lanes);
            s30 = TSimd.MultiplyAdd(a, v, s30);
            s31 = TSimd.MultiplyAdd(b, v, s31);
            s32 = TSimd.MultiplyAdd(c, v, s32);
            v = TSimd.Load(x + 9 * TSimd.Lanes);
            s40 = TSimd.MultiplyAdd(a, v, s40);
            s41 = TSimd.MultiplyAdd(b, v, s41);
            s42 = TSimd.MultiplyAdd(c, v, s42);
            v = TSimd.Load(x + 11 * TSimd.Lanes);
            s50 = TSimd.MultiplyAdd(a, v, s50);
            s51 = TSimd.MultiplyAdd(b, v, s51);
            s52 = TSimd.MultiplyAdd(c, v, s52);
            v = TSimd.Load(x + 13 * TSimd.Lanes);
            s60 = TSimd.MultiplyAdd(a, v, s60);
            s61 = TSimd.MultiplyAdd(b, v, s61);
            s62 = TSimd.MultiplyAdd(c, v, s62);
            v = TSimd.Load(x + 15 * TSimd.Lanes);
            s70 = TSimd.MultiplyAdd(a, v, s70);
            s71 = TSimd.MultiplyAdd(b, v, s71);
            s72 = TSimd.MultiplyAdd(c, v, s72);
        }
        TSimd.SumFour(s00, s01, s02, TSimd.Zero).Store(results);
        TSimd.SumFour(s10, s11, s12, TSimd.Zero).Store(results + stride);
        TSimd.SumFour(s20, s21, s22, TSimd.Zero).Store(results + 2 * stride);
        TSimd.SumFour(s30, s31, s32, TSimd.Zero).Store(results + 3 * stride);
        TSimd.SumFour(s40, s41, s42, TSimd.Zero).Store(results + 4 * stride);
        TSimd.SumFour(s50, s51, s52, TSimd.Zero).Store(results + 5 * stride);
        TSimd.SumFour(s60, s61, s62, TSimd.Zero).Store(results + 6 * stride);
        TSimd.SumFour(s70, s71, s72, TSimd.Zero).Store(results + 7 * stride);
        if (i == length) return;
        for (var v = 0; v < Group; v++) AddTail<TFormat>(x + v * 2 * TSimd.Lanes, w, RowsOfGroup, i, length, results + v * stride);
    }

    /// <summary>Adds the products of the last numbers, too few for registers.</summary>
    private static void AddTail<TFormat>(float* x, nint* w, int rows, int from, int length, float* results) where TFormat : IWeightFormat
    {
        for (var r = 0; r < rows; r++)
            for (var i = from; i < length; i++) results[r] = MathF.FusedMultiplyAdd(TFormat.Load(w[r], i), x[i - from], results[r]);
    }
}
