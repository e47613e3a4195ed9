namespace Meft.Kernels.Quantization.Blocks;

/// <summary>The 12 bytes in which Q4_K and Q5_K keep 8 scales and 8 minima of 6 bits.</summary>
internal static unsafe class SixBitScales
{
    /// <summary>Scale and minimum of one of the 8 groups of 32 weights.</summary>
    public static (int Scale, int Minimum) Get(byte* bytes, int group)
    {
        if (group < 4) return (bytes[group] & 0x3F, bytes[group + 4] & 0x3F);
        // The upper two bits of groups 4–7 are those that groups 0–3 leave free.
        return (bytes[group + 4] & 0xF | bytes[group - 4] >> 6 << 4, bytes[group + 4] >> 4 | bytes[group] >> 6 << 4);
    }
}
