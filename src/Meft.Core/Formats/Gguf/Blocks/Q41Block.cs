using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>Q4_1: halves d and m; 16 bytes of quants as in Q4_0. w = d·q + m.</summary>
internal readonly struct Q41Block : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q41;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var (d, m) = (WeightGroup.Half(block), WeightGroup.Half(block[2..]));
        var quants = WeightGroup.Load(block[4..]);
        WeightGroup.Store(WeightGroup.Low(quants).AsSByte(), d, m, weights);
        WeightGroup.Store(WeightGroup.High(quants).AsSByte(), d, m, weights[16..]);
    }
}
