namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>IQ4_NL: half d; 16 bytes of quants as in Q4_0. w = d·value(q).</summary>
internal readonly struct IQ4NLBlock : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ4NL;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> weights)
    {
        var d = WeightGroup.Half(block);
        var quants = WeightGroup.Load(block[2..]);
        WeightGroup.Store(UnevenScale.Get(WeightGroup.Low(quants)), d, weights);
        WeightGroup.Store(UnevenScale.Get(WeightGroup.High(quants)), d, weights[16..]);
    }
}
