using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>
/// Q5_K: as Q4_K, with 32 bytes of fifth bits before the quants: that of weight i of group n is bit n of byte i.
/// w = (d·scale)·q − dmin·minimum.
/// </summary>
internal readonly struct Q5KBlock : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q5K;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var (d, dmin) = (WeightGroup.Half(block), WeightGroup.Half(block[2..]));
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = SixBitScales.Get(block[4..16], group);
            for (var part = 0; part < 32; part += WeightGroup.Size)
            {
                var bytes = WeightGroup.Load(block[(48 + 32 * (group / 2) + part)..]);
                var low = group % 2 == 0 ? WeightGroup.Low(bytes) : WeightGroup.High(bytes);
                var fifth = WeightGroup.WhereBit(WeightGroup.Load(block[(16 + part)..]), (byte)(1 << group), 16);
                WeightGroup.Store((low | fifth).AsSByte(), d * scale, -(dmin * minimum), weights[(32 * group + part)..]);
            }
        }
    }
}
