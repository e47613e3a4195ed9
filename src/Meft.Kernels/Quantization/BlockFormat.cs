namespace Meft.Kernels.Quantization;

/// <summary>How weights are held in blocks along a row. Names of the GGUF types are ggml's.</summary>
public enum BlockFormat
{
    /// <summary>64 weights of 8 bits with a float32 scale.</summary>
    Int8,

    /// <summary>64 weights of QLoRA's 4-bit normal floats; the scales are quantised themselves.</summary>
    Nf4,

    /// <summary>GGUF's Q4_0.</summary>
    Q40,

    /// <summary>GGUF's Q4_1.</summary>
    Q41,

    /// <summary>GGUF's Q5_0.</summary>
    Q50,

    /// <summary>GGUF's Q5_1.</summary>
    Q51,

    /// <summary>GGUF's Q8_0.</summary>
    Q80,

    /// <summary>GGUF's Q2_K.</summary>
    Q2K,

    /// <summary>GGUF's Q3_K.</summary>
    Q3K,

    /// <summary>GGUF's Q4_K.</summary>
    Q4K,

    /// <summary>GGUF's Q5_K.</summary>
    Q5K,

    /// <summary>GGUF's Q6_K.</summary>
    Q6K,

    /// <summary>GGUF's IQ4_NL.</summary>
    IQ4NL,

    /// <summary>GGUF's IQ4_XS.</summary>
    IQ4XS,
}
