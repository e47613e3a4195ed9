using System.Buffers.Binary;
using Meft.Kernels.Quantization;

namespace Meft.Tests.Models.Quantized;

/// <summary>Random blocks of GGUF's types whose weights are numbers of about a given size, centred on zero.</summary>
internal static class FiniteBlocks
{
    /// <summary>
    /// Where a block's scale stands as a half, and the mean size of its weights at a scale of one; where a second half stands, and the share of the scale that it has for
    /// the weights' mean to be zero.
    /// </summary>
    private static readonly Dictionary<BlockFormat, (int Scale, double Size, int? Minimum, double Share)> Forms = new()
    {
        [BlockFormat.Q40] = (0, 4.6, null, 0),
        [BlockFormat.Q41] = (0, 4.6, 2, -7.5),
        [BlockFormat.Q50] = (0, 9.2, null, 0),
        [BlockFormat.Q51] = (0, 9.2, 2, -15.5),
        [BlockFormat.Q80] = (0, 74, null, 0),
        [BlockFormat.Q2K] = (80, 14, 82, 1.5),
        [BlockFormat.Q3K] = (108, 43, null, 0),
        [BlockFormat.Q4K] = (0, 258, 2, 7.5),
        [BlockFormat.Q5K] = (0, 527, 2, 15.5),
        [BlockFormat.Q6K] = (208, 1367, null, 0),
        [BlockFormat.IQ4NL] = (0, 67, null, 0),
        [BlockFormat.IQ4XS] = (0, 1247, null, 0),
    };

    /// <summary>Blocks one after another.</summary>
    /// <param name="format">One of a file's.</param>
    /// <param name="weights">A multiple of a block's.</param>
    /// <param name="size">The root of the mean square of the weights, about.</param>
    /// <param name="random">Draws them.</param>
    public static byte[] Of(BlockFormat format, int weights, double size, Random random)
    {
        var (ofBlock, width) = BlockLayout.BlockOf(format);
        var (place, unit, second, share) = Forms[format];
        var bytes = new byte[weights / ofBlock * width];
        random.NextBytes(bytes);
        for (var block = 0; block < bytes.Length; block += width)
        {
            var scale = size / unit * (0.5 + random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1);
            BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(block + place), (Half)scale);
            if (second is { } minimum) BinaryPrimitives.WriteHalfLittleEndian(bytes.AsSpan(block + minimum), (Half)(share * scale));
        }
        return bytes;
    }
}
