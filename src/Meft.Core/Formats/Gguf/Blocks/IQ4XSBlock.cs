using System.Buffers.Binary;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>
/// IQ4_XS: half d; 8 scales of 6 bits, their upper two bits in 16 bits, their lower four in 4 bytes; 8 times 16 bytes of quants as
/// in Q4_0. w = (d·(scale − 32))·value(q).
/// </summary>
internal readonly struct IQ4XSBlock : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ4XS;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var d = WeightGroup.Half(block);
        var upper = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        for (var group = 0; group < 8; group++)
        {
            var lower = block[4 + group / 2] >> 4 * (group % 2) & 0xF;
            var scale = d * ((lower | (upper >> 2 * group & 3) << 4) - 32);
            var quants = WeightGroup.Load(block[(8 + 16 * group)..]);
            WeightGroup.Store(UnevenScale.Get(WeightGroup.Low(quants)), scale, weights[(32 * group)..]);
            WeightGroup.Store(UnevenScale.Get(WeightGroup.High(quants)), scale, weights[(32 * group + 16)..]);
        }
    }
}
