using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>
/// Q4_K: halves d and dmin, 12 bytes of scales and minima, 128 bytes of quants: of each 32 bytes the lower halves are 32
/// weights, the upper halves the next 32. w = (d·scale)·q − dmin·minimum.
/// </summary>
internal readonly struct Q4KBlock : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q4K;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var (d, dmin) = (WeightGroup.Half(block), WeightGroup.Half(block[2..]));
        for (var group = 0; group < 8; group++)
        {
            var (scale, minimum) = SixBitScales.Get(block[4..16], group);
            for (var part = 0; part < 32; part += WeightGroup.Size)
            {
                var bytes = WeightGroup.Load(block[(16 + 32 * (group / 2) + part)..]);
                var quants = group % 2 == 0 ? WeightGroup.Low(bytes) : WeightGroup.High(bytes);
                WeightGroup.Store(quants.AsSByte(), d * scale, -(dmin * minimum), weights[(32 * group + part)..]);
            }
        }
    }
}
