using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>Q8_0: half d; 32 signed bytes. w = d·q.</summary>
internal readonly struct Q80Block : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q80;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var d = WeightGroup.Half(block);
        WeightGroup.Store(WeightGroup.Load(block[2..]).AsSByte(), d, weights);
        WeightGroup.Store(WeightGroup.Load(block[18..]).AsSByte(), d, weights[16..]);
    }
}
