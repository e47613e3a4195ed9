using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>Q5_1: halves d and m; 32 fifth bits, one a weight; 16 bytes of lower bits as in Q4_0. w = d·q + m.</summary>
internal readonly struct Q51Block : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q51;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var (d, m) = (WeightGroup.Half(block), WeightGroup.Half(block[2..]));
        var fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        var quants = WeightGroup.Load(block[8..]);
        var low = WeightGroup.Low(quants) | WeightGroup.WhereBit((ushort)fifth, 16);
        var high = WeightGroup.High(quants) | WeightGroup.WhereBit((ushort)(fifth >> 16), 16);
        WeightGroup.Store(low.AsSByte(), d, m, weights);
        WeightGroup.Store(high.AsSByte(), d, m, weights[16..]);
    }
}
