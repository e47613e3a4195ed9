using Meft.Kernels.Quantization.Blocks;

namespace Meft.Kernels.Quantization;

/// <summary>The 4-bit normal float of QLoRA.</summary>
public static class NormalFloat
{
    /// <summary>The values of the codes 0 to 15.</summary>
    public static ReadOnlySpan<float> Values => Nf4Block.Values;
}
