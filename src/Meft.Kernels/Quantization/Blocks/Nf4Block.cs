using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// NF4 (Dettmers et al., QLoRA, arXiv 2305.14314, section 3 and appendix E): 32 bytes of 4-bit codes, of each 16 bytes the lower halves 16 weights, the
/// upper halves the next 16. The scale stands elsewhere. w = value(q)·scale.
/// </summary>
internal static unsafe class Nf4Block
{
    public const int Weights = 64;

    public const int Bytes = Weights / 2;

    private static readonly float* TableAddress = MakeTable();

    /// <summary>The sixteen values, ascending: quantiles of the normal distribution, scaled to [−1, 1], with an exact zero; from the paper's appendix E.</summary>
    public static ReadOnlySpan<float> Values =>
    [
        -1f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f,
        0.7229568362236023f, 1f,
    ];

    /// <summary>Decodes blocks.</summary>
    /// <param name="blocks">[count] blocks.</param>
    /// <param name="scales">[count].</param>
    /// <param name="count">How many.</param>
    /// <param name="weights">Room for their weights.</param>
    public static void DecodeAll<TSimd, TFormat>(byte* blocks, float* scales, int count, nint weights)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        var table = TableAddress;
        for (var block = 0; block < count; block++, blocks += Bytes)
        {
            var scale = TSimd.Broadcast(scales[block]);
            for (var half = 0; half < 2; half++)
            {
                var bytes = WeightGroup.Load(blocks + WeightGroup.Size * half);
                var at = Weights * block + 2 * WeightGroup.Size * half;
                Store<TSimd, TFormat>(table, WeightGroup.Low(bytes), scale, weights, at);
                Store<TSimd, TFormat>(table, WeightGroup.High(bytes), scale, weights, at + WeightGroup.Size);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TSimd, TFormat>(float* table, Vector128<byte> codes, TSimd scale, nint weights, int at)
        where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat
    {
        for (var part = 0; part < WeightGroup.Size / TSimd.Lanes; part++)
            TFormat.StoreInOrder(TSimd.Multiply(TSimd.LookUp(table, codes, part), scale), weights, at + part * TSimd.Lanes);
    }

    private static float* MakeTable()
    {
        var table = (float*)NativeMemory.AlignedAlloc((nuint)(Values.Length * sizeof(float)), 64);
        Values.CopyTo(new Span<float>(table, Values.Length));
        return table;
    }
}
