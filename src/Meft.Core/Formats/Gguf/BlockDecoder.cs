using System.Runtime.InteropServices;
using Meft.Kernels;
using Meft.Kernels.Quantization;

namespace Meft.Core.Formats.Gguf;

/// <summary>Decodes the blocks of GGUF tensors to float32 or bfloat16.</summary>
public static unsafe class BlockDecoder
{
    private static readonly Dictionary<GgmlType, Decode> Decoders = new[]
    {
        Of(GgmlType.Q40), Of(GgmlType.Q41), Of(GgmlType.Q50), Of(GgmlType.Q51), Of(GgmlType.Q80), Of(GgmlType.Q2K), Of(GgmlType.Q3K),
        Of(GgmlType.Q4K), Of(GgmlType.Q5K), Of(GgmlType.Q6K), Of(GgmlType.IQ4NL), Of(GgmlType.IQ4XS),
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

    /// <summary>What the kernels call a type of blocks; null for plain numbers and for types that cannot be decoded.</summary>
    public static BlockFormat? FormatOf(GgmlType type) => type switch
    {
        GgmlType.Q40 => BlockFormat.Q40,
        GgmlType.Q41 => BlockFormat.Q41,
        GgmlType.Q50 => BlockFormat.Q50,
        GgmlType.Q51 => BlockFormat.Q51,
        GgmlType.Q80 => BlockFormat.Q80,
        GgmlType.Q2K => BlockFormat.Q2K,
        GgmlType.Q3K => BlockFormat.Q3K,
        GgmlType.Q4K => BlockFormat.Q4K,
        GgmlType.Q5K => BlockFormat.Q5K,
        GgmlType.Q6K => BlockFormat.Q6K,
        GgmlType.IQ4NL => BlockFormat.IQ4NL,
        GgmlType.IQ4XS => BlockFormat.IQ4XS,
        _ => null,
    };

    private static KeyValuePair<GgmlType, Decode> Of(GgmlType type)
    {
        var (format, bytes) = (FormatOf(type)!.Value, type.BlockBytes());
        return new(type, (blocks, weights) =>
        {
            fixed (byte* from = blocks)
            fixed (float* to = weights)
            {
                BlockTiles.DecodeBlocks(format, from, blocks.Length / bytes, (nint)to, FloatFormat.Single);
            }
        });
    }
}
