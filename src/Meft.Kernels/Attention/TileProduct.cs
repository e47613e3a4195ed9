using System.Runtime.CompilerServices;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Attention;

/// <summary>A matrix in scratch memory, read through strides so that it may also be read transposed.</summary>
/// <param name="Data">Element (0, 0).</param>
/// <param name="Row">The distance from row to row, in elements.</param>
/// <param name="Column">The distance from column to column, in elements.</param>
internal readonly unsafe record struct Tile(nint Data, int Row, int Column)
{
    public Tile(float* data, int row, int column = 1) : this((nint)data, row, column)
    {
    }

    public float* Pointer => (float*)Data;
}

/// <summary>
/// Products of small matrices that lie in cache: 4 rows by 4 registers of results at a time. The loops are compiled at full
/// optimisation at once: the runtime's first, quick version of them would be many times slower, and run for seconds.
/// </summary>
internal static unsafe class TileProduct
{
    /// <summary>What the width of a product must be a multiple of: the lanes of the widest register.</summary>
    public const int WidthMultiple = 16;

    /// <summary>c [m, n] (+)= a [m, k] · b [k, n]; b and c with adjacent columns, n a multiple of <see cref="WidthMultiple"/>.</summary>
    public static void Multiply<TSimd>(int m, int n, int k, Tile a, Tile b, Tile c, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        for (var column = 0; column < n;)
        {
            var wide = n - column >= 4 * TSimd.Lanes;
            float* pb = b.Pointer + column, pc = c.Pointer + column;
            var row = 0;
            for (; row <= m - 4; row += 4)
            {
                var pa = a.Pointer + (long)row * a.Row;
                if (wide) FourByFour<TSimd>(k, pa, a.Row, a.Column, pb, b.Row, pc + (long)row * c.Row, c.Row, accumulate);
                else FourByOne<TSimd>(k, pa, a.Row, a.Column, pb, b.Row, pc + (long)row * c.Row, c.Row, accumulate);
            }
            for (; row < m; row++)
            {
                var pa = a.Pointer + (long)row * a.Row;
                if (wide) OneByFour<TSimd>(k, pa, a.Column, pb, b.Row, pc + (long)row * c.Row, accumulate);
                else OneByOne<TSimd>(k, pa, a.Column, pb, b.Row, pc + (long)row * c.Row, accumulate);
            }
            column += wide ? 4 * TSimd.Lanes : TSimd.Lanes;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void FourByFour<TSimd>(
        int k, float* a, int aRow, int aColumn, float* b, int bRow, float* c, int cRow, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        TSimd s00 = TSimd.Zero, s01 = TSimd.Zero, s02 = TSimd.Zero, s03 = TSimd.Zero;
        TSimd s10 = TSimd.Zero, s11 = TSimd.Zero, s12 = TSimd.Zero, s13 = TSimd.Zero;
        TSimd s20 = TSimd.Zero, s21 = TSimd.Zero, s22 = TSimd.Zero, s23 = TSimd.Zero;
        TSimd s30 = TSimd.Zero, s31 = TSimd.Zero, s32 = TSimd.Zero, s33 = TSimd.Zero;
        float* a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
        for (var i = 0; i < k; i++)
        {
            TSimd b0 = TSimd.Load(b), b1 = TSimd.Load(b + TSimd.Lanes);
            TSimd b2 = TSimd.Load(b + 2 * TSimd.Lanes), b3 = TSimd.Load(b + 3 * TSimd.Lanes);
            var v = TSimd.Broadcast(*a);
            s00 = TSimd.MultiplyAdd(v, b0, s00);
            s01 = TSimd.MultiplyAdd(v, b1, s01);
            s02 = TSimd.MultiplyAdd(v, b2, s02);
            s03 = TSimd.MultiplyAdd(v, b3, s03);
            v = TSimd.Broadcast(*a1);
            s10 = TSimd.MultiplyAdd(v, b0, s10);
            s11 = TSimd.MultiplyAdd(v, b1, s11);
            s12 = TSimd.MultiplyAdd(v, b2, s12);
            s13 = TSimd.MultiplyAdd(v, b3, s13);
            v = TSimd.Broadcast(*a2);
            s20 = TSimd.MultiplyAdd(v, b0, s20);
            s21 = TSimd.MultiplyAdd(v, b1, s21);
            s22 = TSimd.MultiplyAdd(v, b2, s22);
            s23 = TSimd.MultiplyAdd(v, b3, s23);
            v = TSimd.Broadcast(*a3);
            s30 = TSimd.MultiplyAdd(v, b0, s30);
            s31 = TSimd.MultiplyAdd(v, b1, s31);
            s32 = TSimd.MultiplyAdd(v, b2, s32);
            s33 = TSimd.MultiplyAdd(v, b3, s33);
            a += aColumn;
            a1 += aColumn;
            a2 += aColumn;
            a3 += aColumn;
            b += bRow;
        }
        StoreFour(s00, s01, s02, s03, c, accumulate);
        StoreFour(s10, s11, s12, s13, c + cRow, accumulate);
        StoreFour(s20, s21, s22, s23, c + 2L * cRow, accumulate);
        StoreFour(s30, s31, s32, s33, c + 3L * cRow, accumulate);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void OneByFour<TSimd>(int k, float* a, int aColumn, float* b, int bRow, float* c, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        TSimd s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        for (var i = 0; i < k; i++, a += aColumn, b += bRow)
        {
            var v = TSimd.Broadcast(*a);
            s0 = TSimd.MultiplyAdd(v, TSimd.Load(b), s0);
            s1 = TSimd.MultiplyAdd(v, TSimd.Load(b + TSimd.Lanes), s1);
            s2 = TSimd.MultiplyAdd(v, TSimd.Load(b + 2 * TSimd.Lanes), s2);
            s3 = TSimd.MultiplyAdd(v, TSimd.Load(b + 3 * TSimd.Lanes), s3);
        }
        StoreFour(s0, s1, s2, s3, c, accumulate);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void FourByOne<TSimd>(
        int k, float* a, int aRow, int aColumn, float* b, int bRow, float* c, int cRow, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        TSimd s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        float* a1 = a + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
        for (var i = 0; i < k; i++)
        {
            var v = TSimd.Load(b);
            s0 = TSimd.MultiplyAdd(TSimd.Broadcast(*a), v, s0);
            s1 = TSimd.MultiplyAdd(TSimd.Broadcast(*a1), v, s1);
            s2 = TSimd.MultiplyAdd(TSimd.Broadcast(*a2), v, s2);
            s3 = TSimd.MultiplyAdd(TSimd.Broadcast(*a3), v, s3);
            a += aColumn;
            a1 += aColumn;
            a2 += aColumn;
            a3 += aColumn;
            b += bRow;
        }
        StoreOne(s0, c, accumulate);
        StoreOne(s1, c + cRow, accumulate);
        StoreOne(s2, c + 2L * cRow, accumulate);
        StoreOne(s3, c + 3L * cRow, accumulate);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void OneByOne<TSimd>(int k, float* a, int aColumn, float* b, int bRow, float* c, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        var s = TSimd.Zero;
        for (var i = 0; i < k; i++, a += aColumn, b += bRow) s = TSimd.MultiplyAdd(TSimd.Broadcast(*a), TSimd.Load(b), s);
        StoreOne(s, c, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFour<TSimd>(TSimd s0, TSimd s1, TSimd s2, TSimd s3, float* c, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd>
    {
        StoreOne(s0, c, accumulate);
        StoreOne(s1, c + TSimd.Lanes, accumulate);
        StoreOne(s2, c + 2 * TSimd.Lanes, accumulate);
        StoreOne(s3, c + 3 * TSimd.Lanes, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreOne<TSimd>(TSimd s, float* c, bool accumulate)
        where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Store(accumulate ? TSimd.Add(TSimd.Load(c), s) : s, c);
}
