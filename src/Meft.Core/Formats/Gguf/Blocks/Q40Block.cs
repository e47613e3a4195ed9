using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>Q4_0: half d; 16 bytes of quants, weights 0–15 in the lower halves, 16–31 in the upper. w = d·(q − 8).</summary>
internal readonly struct Q40Block : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q40;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var d = WeightGroup.Half(block);
        var quants = WeightGroup.Load(block[2..]);
        var zero = Vector128.Create((sbyte)8);
        WeightGroup.Store(WeightGroup.Low(quants).AsSByte() - zero, d, weights);
        WeightGroup.Store(WeightGroup.High(quants).AsSByte() - zero, d, weights[16..]);
    }
}
