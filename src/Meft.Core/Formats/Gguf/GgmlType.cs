namespace Meft.Core.Formats.Gguf;

/// <summary>
/// The types of tensors in GGUF files, with their numbers there: plain numbers, and blocks in which some weights share scales.
/// Names are ggml's, without underscores.
/// </summary>
public enum GgmlType
{
    /// <summary>IEEE single.</summary>
    F32 = 0,

    /// <summary>IEEE half.</summary>
    F16 = 1,

    /// <summary>32 weights of 4 bits, one scale.</summary>
    Q40 = 2,

    /// <summary>32 weights of 4 bits, scale and minimum.</summary>
    Q41 = 3,

    /// <summary>32 weights of 5 bits, one scale.</summary>
    Q50 = 6,

    /// <summary>32 weights of 5 bits, scale and minimum.</summary>
    Q51 = 7,

    /// <summary>32 weights of 8 bits, one scale.</summary>
    Q80 = 8,

    /// <summary>256 weights of 2 bits in groups of 16, with scales and minima of 4 bits.</summary>
    Q2K = 10,

    /// <summary>256 weights of 3 bits in groups of 16, with scales of 6 bits.</summary>
    Q3K = 11,

    /// <summary>256 weights of 4 bits in groups of 32, with scales and minima of 6 bits.</summary>
    Q4K = 12,

    /// <summary>256 weights of 5 bits in groups of 32, with scales and minima of 6 bits.</summary>
    Q5K = 13,

    /// <summary>256 weights of 6 bits in groups of 16, with scales of 8 bits.</summary>
    Q6K = 14,

    /// <summary>256 weights from a codebook, 2.06 bits each.</summary>
    IQ2XXS = 16,

    /// <summary>256 weights from a codebook, 2.3 bits each.</summary>
    IQ2XS = 17,

    /// <summary>256 weights from a codebook, 3.06 bits each.</summary>
    IQ3XXS = 18,

    /// <summary>256 weights from a codebook, 1.56 bits each.</summary>
    IQ1S = 19,

    /// <summary>32 weights of 4 bits on an uneven scale.</summary>
    IQ4NL = 20,

    /// <summary>256 weights from a codebook, 3.4 bits each.</summary>
    IQ3S = 21,

    /// <summary>256 weights from a codebook, 2.6 bits each.</summary>
    IQ2S = 22,

    /// <summary>256 weights of 4 bits on an uneven scale, in groups of 32.</summary>
    IQ4XS = 23,

    /// <summary>Signed integer, 8 bits.</summary>
    I8 = 24,

    /// <summary>Signed integer, 16 bits.</summary>
    I16 = 25,

    /// <summary>Signed integer, 32 bits.</summary>
    I32 = 26,

    /// <summary>Signed integer, 64 bits.</summary>
    I64 = 27,

    /// <summary>IEEE double.</summary>
    F64 = 28,

    /// <summary>256 weights from a codebook, 1.75 bits each.</summary>
    IQ1M = 29,

    /// <summary>The upper 16 bits of an IEEE single.</summary>
    BF16 = 30,

    /// <summary>256 ternary weights, 1.69 bits each.</summary>
    TQ10 = 34,

    /// <summary>256 ternary weights, 2.06 bits each.</summary>
    TQ20 = 35,

    /// <summary>32 weights of the MX float of 4 bits, one power of two.</summary>
    MXFP4 = 39,
}
