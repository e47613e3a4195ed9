using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Meft.Kernels.Rows;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Linear;

/// <summary>How weights lie in memory; two registers of them are read at a time, in the order of lanes that is cheapest.</summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Bytes { get; }

    /// <summary>The first register of the 2·lanes numbers from element i.</summary>
    static abstract TSimd First<TSimd>(nint source, int i) where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>The second register of the 2·lanes numbers from element i.</summary>
    static abstract TSimd Second<TSimd>(nint source, int i) where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>Rounds two registers and writes them where <see cref="First"/> and <see cref="Second"/> would read them.</summary>
    static abstract void StorePair<TSimd>(TSimd a, TSimd b, nint destination, int i) where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>Rounds a register and writes it as the elements from i on.</summary>
    static abstract void StoreInOrder<TSimd>(TSimd value, nint destination, int i) where TSimd : unmanaged, ISimd<TSimd>;

    /// <summary>Asks for the cache line of an element that will be read soon.</summary>
    static abstract void Prefetch(nint source, int i);

    static abstract float Load(nint source, int i);

    static abstract void Store(float value, nint destination, int i);
}

/// <summary>float32: two registers side by side.</summary>
internal readonly unsafe struct SingleWeights : IWeightFormat
{
    public static int Bytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd First<TSimd>(nint source, int i) where TSimd : unmanaged, ISimd<TSimd> => TSimd.Load((float*)source + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Second<TSimd>(nint source, int i) where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Load((float*)source + i + TSimd.Lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePair<TSimd>(TSimd a, TSimd b, nint destination, int i) where TSimd : unmanaged, ISimd<TSimd>
    {
        TSimd.Store(a, (float*)destination + i);
        TSimd.Store(b, (float*)destination + i + TSimd.Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreInOrder<TSimd>(TSimd value, nint destination, int i) where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.Store(value, (float*)destination + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(nint source, int i)
    {
        if (Sse.IsSupported) Sse.Prefetch0((float*)source + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(nint source, int i) => ((float*)source)[i];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, nint destination, int i) => ((float*)destination)[i] = value;
}

/// <summary>bfloat16: one register with the even elements, one with the odd ones.</summary>
internal readonly unsafe struct BFloat16Weights : IWeightFormat
{
    public static int Bytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd First<TSimd>(nint source, int i) where TSimd : unmanaged, ISimd<TSimd> => TSimd.LoadEven((ushort*)source + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TSimd Second<TSimd>(nint source, int i) where TSimd : unmanaged, ISimd<TSimd> => TSimd.LoadOdd((ushort*)source + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePair<TSimd>(TSimd a, TSimd b, nint destination, int i) where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.StorePair(a, b, (ushort*)destination + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreInOrder<TSimd>(TSimd value, nint destination, int i) where TSimd : unmanaged, ISimd<TSimd> =>
        TSimd.StoreBFloat16(value, (ushort*)destination + i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(nint source, int i)
    {
        if (Sse.IsSupported) Sse.Prefetch0((ushort*)source + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(nint source, int i) => BFloat16Row.Load(source, i);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, nint destination, int i) => BFloat16Row.Store(value, destination, i);
}
