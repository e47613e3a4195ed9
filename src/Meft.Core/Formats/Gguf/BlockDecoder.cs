using System.Runtime.InteropServices;
using Meft.Core.Formats.Gguf.Blocks;

namespace Meft.Core.Formats.Gguf;

/// <summary>Decodes the blocks of GGUF tensors to float32 or bfloat16.</summary>
public static class BlockDecoder
{
    private static readonly Dictionary<GgmlType, Decode> Decoders = new[]
    {
        Of<Q40Block>(), Of<Q41Block>(), Of<Q50Block>(), Of<Q51Block>(), Of<Q80Block>(),
        Of<Q2KBlock>(), Of<Q3KBlock>(), Of<Q4KBlock>(), Of<Q5KBlock>(), Of<Q6KBlock>(), Of<IQ4NLBlock>(), Of<IQ4XSBlock>(),
        new(GgmlType.F32, (blocks, weights) => blocks.CopyTo(MemoryMarshal.AsBytes(weights))),
        new(GgmlType.F16, (blocks, weights) => SingleConversion.FromHalf(MemoryMarshal.Cast<byte, ushort>(blocks), weights)),
        new(GgmlType.BF16, (blocks, weights) => SingleConversion.FromBFloat16(MemoryMarshal.Cast<byte, ushort>(blocks), weights)),
    }.ToDictionary();

    private delegate void Decode(ReadOnlySpan<byte> blocks, Span<float> weights);

    /// <summary>The names of the types that can be decoded, for error messages.</summary>
    public static string KnownNames { get; } = string.Join(", ", Decoders.Keys.Order().Select(t => t.GgmlName()));

    /// <summary>Whether a type can be decoded.</summary>
    public static bool Knows(GgmlType type) => Decoders.ContainsKey(type);

    /// <summary>Decodes blocks to float32.</summary>
    /// <param name="type">A type that <see cref="Knows"/>.</param>
    /// <param name="blocks">A whole number of blocks.</param>
    /// <param name="weights">Room for exactly their weights.</param>
    /// <exception cref="ArgumentException">The two lengths do not agree.</exception>
    public static void ToSingles(GgmlType type, ReadOnlySpan<byte> blocks, Span<float> weights)
    {
        if ((long)blocks.Length * type.BlockWeights() != (long)weights.Length * type.BlockBytes())
            throw new ArgumentException($"{blocks.Length} bytes of {type.GgmlName()} are not {weights.Length} weights", nameof(weights));
        Decoders[type](blocks, weights);
    }

    private static KeyValuePair<GgmlType, Decode> Of<TFormat>()
        where TFormat : IBlockFormat => new(TFormat.Type, DecodeAll<TFormat>);

    private static void DecodeAll<TFormat>(ReadOnlySpan<byte> blocks, Span<float> weights)
        where TFormat : IBlockFormat
    {
        var (bytes, count) = (TFormat.Type.BlockBytes(), TFormat.Type.BlockWeights());
        for (; !blocks.IsEmpty; blocks = blocks[bytes..], weights = weights[count..]) TFormat.Decode(blocks[..bytes], weights[..count]);
    }
}
