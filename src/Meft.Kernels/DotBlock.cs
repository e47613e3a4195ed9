using System.Runtime.CompilerServices;
using Meft.Kernels.Simd;

namespace Meft.Kernels;

/// <summary>
/// Dot products of a block of up to four vectors with a block of up to four rows, sixteen sums kept in registers.
/// Each product is summed in one register along the whole length, so its bits do not depend on which block it fell in.
/// </summary>
internal static unsafe class DotBlock
{
    /// <summary>Vectors and rows in a full block.</summary>
    public const int Size = 4;

    /// <summary>results[i·4 + j] = vectors[i] · rows[j], for i &lt; vectorCount ≤ 4 and four rows, all of <paramref name="length"/>.</summary>
    /// <remarks>Entries of <paramref name="rows"/> past the last row must repeat a valid one; their results are to be ignored.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Compute<TSimd>(float** vectors, int vectorCount, float** rows, int length, float* results)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        if (vectorCount == Size)
        {
            FourByFour<TSimd>(vectors, rows, length, results);
            return;
        }
        for (var i = 0; i < vectorCount; i++) OneByFour<TSimd>(vectors[i], rows, length, results + i * Size);
    }

    /// <summary>a · b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float One<TSimd>(float* a, float* b, int length) where TSimd : unmanaged, ISimd<TSimd>
    {
        var sum = TSimd.Zero;
        var d = 0;
        for (; d <= length - TSimd.Lanes; d += TSimd.Lanes) sum = TSimd.MultiplyAdd(TSimd.Load(a + d), TSimd.Load(b + d), sum);
        return Tail(TSimd.Sum(sum), a, b, d, length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneByFour<TSimd>(float* x, float** rows, int length, float* results) where TSimd : unmanaged, ISimd<TSimd>
    {
        float* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
        TSimd s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        var d = 0;
        for (; d <= length - TSimd.Lanes; d += TSimd.Lanes)
        {
            var v = TSimd.Load(x + d);
            s0 = TSimd.MultiplyAdd(v, TSimd.Load(r0 + d), s0);
            s1 = TSimd.MultiplyAdd(v, TSimd.Load(r1 + d), s1);
            s2 = TSimd.MultiplyAdd(v, TSimd.Load(r2 + d), s2);
            s3 = TSimd.MultiplyAdd(v, TSimd.Load(r3 + d), s3);
        }
        results[0] = Tail(TSimd.Sum(s0), x, r0, d, length);
        results[1] = Tail(TSimd.Sum(s1), x, r1, d, length);
        results[2] = Tail(TSimd.Sum(s2), x, r2, d, length);
        results[3] = Tail(TSimd.Sum(s3), x, r3, d, length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FourByFour<TSimd>(float** vectors, float** rows, int length, float* results) where TSimd : unmanaged, ISimd<TSimd>
    {
        float* x0 = vectors[0], x1 = vectors[1], x2 = vectors[2], x3 = vectors[3];
        float* r0 = rows[0], r1 = rows[1], r2 = rows[2], r3 = rows[3];
        TSimd s00 = TSimd.Zero, s01 = TSimd.Zero, s02 = TSimd.Zero, s03 = TSimd.Zero;
        TSimd s10 = TSimd.Zero, s11 = TSimd.Zero, s12 = TSimd.Zero, s13 = TSimd.Zero;
        TSimd s20 = TSimd.Zero, s21 = TSimd.Zero, s22 = TSimd.Zero, s23 = TSimd.Zero;
        TSimd s30 = TSimd.Zero, s31 = TSimd.Zero, s32 = TSimd.Zero, s33 = TSimd.Zero;
        var d = 0;
        for (; d <= length - TSimd.Lanes; d += TSimd.Lanes)
        {
            TSimd a = TSimd.Load(r0 + d), b = TSimd.Load(r1 + d), c = TSimd.Load(r2 + d), e = TSimd.Load(r3 + d);
            var v = TSimd.Load(x0 + d);
            s00 = TSimd.MultiplyAdd(v, a, s00);
            s01 = TSimd.MultiplyAdd(v, b, s01);
            s02 = TSimd.MultiplyAdd(v, c, s02);
            s03 = TSimd.MultiplyAdd(v, e, s03);
            v = TSimd.Load(x1 + d);
            s10 = TSimd.MultiplyAdd(v, a, s10);
            s11 = TSimd.MultiplyAdd(v, b, s11);
            s12 = TSimd.MultiplyAdd(v, c, s12);
            s13 = TSimd.MultiplyAdd(v, e, s13);
            v = TSimd.Load(x2 + d);
            s20 = TSimd.MultiplyAdd(v, a, s20);
            s21 = TSimd.MultiplyAdd(v, b, s21);
            s22 = TSimd.MultiplyAdd(v, c, s22);
            s23 = TSimd.MultiplyAdd(v, e, s23);
            v = TSimd.Load(x3 + d);
            s30 = TSimd.MultiplyAdd(v, a, s30);
            s31 = TSimd.MultiplyAdd(v, b, s31);
            s32 = TSimd.MultiplyAdd(v, c, s32);
            s33 = TSimd.MultiplyAdd(v, e, s33);
        }
        results[0] = Tail(TSimd.Sum(s00), x0, r0, d, length);
        results[1] = Tail(TSimd.Sum(s01), x0, r1, d, length);
        results[2] = Tail(TSimd.Sum(s02), x0, r2, d, length);
        results[3] = Tail(TSimd.Sum(s03), x0, r3, d, length);
        results[4] = Tail(TSimd.Sum(s10), x1, r0, d, length);
        results[5] = Tail(TSimd.Sum(s11), x1, r1, d, length);
        results[6] = Tail(TSimd.Sum(s12), x1, r2, d, length);
        results[7] = Tail(TSimd.Sum(s13), x1, r3, d, length);
        results[8] = Tail(TSimd.Sum(s20), x2, r0, d, length);
        results[9] = Tail(TSimd.Sum(s21), x2, r1, d, length);
        results[10] = Tail(TSimd.Sum(s22), x2, r2, d, length);
        results[11] = Tail(TSimd.Sum(s23), x2, r3, d, length);
        results[12] = Tail(TSimd.Sum(s30), x3, r0, d, length);
        results[13] = Tail(TSimd.Sum(s31), x3, r1, d, length);
        results[14] = Tail(TSimd.Sum(s32), x3, r2, d, length);
        results[15] = Tail(TSimd.Sum(s33), x3, r3, d, length);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Tail(float sum, float* a, float* b, int from, int length)
    {
        for (; from < length; from++) sum = MathF.FusedMultiplyAdd(a[from], b[from], sum);
        return sum;
    }
}
