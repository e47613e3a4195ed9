using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>Q5_0: half d; 32 fifth bits, one a weight; 16 bytes of lower bits as in Q4_0. w = d·(q − 16).</summary>
internal readonly struct Q50Block : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q50;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var d = WeightGroup.Half(block);
        var fifth = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        var quants = WeightGroup.Load(block[6..]);
        var zero = Vector128.Create((sbyte)16);
        var low = WeightGroup.Low(quants) | WeightGroup.WhereBit((ushort)fifth, 16);
        var high = WeightGroup.High(quants) | WeightGroup.WhereBit((ushort)(fifth >> 16), 16);
        WeightGroup.Store(low.AsSByte() - zero, d, weights);
        WeightGroup.Store(high.AsSByte() - zero, d, weights[16..]);
    }
}
