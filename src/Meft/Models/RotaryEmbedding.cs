using Meft.Kernels;
using Meft.Kernels.Rows;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Cosines and sines of the tokens of one layout, made once and used by all layers.</summary>
/// <param name="Cosine">[T, 1, hd/2].</param>
/// <param name="Sine">[T, 1, hd/2].</param>
internal sealed record RotaryTables(Tensor Cosine, Tensor Sine) : IDisposable
{
    /// <summary>positions [T] (int64) → tables of the given type.</summary>
    public static RotaryTables Of(Tensor positions, RotaryFrequencies frequencies, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        // float64: in float32 the angle of position 100,000 would be off by 0.004.
        using var inverse = tensor(frequencies.Inverse, float64, positions.device);
        var angles = positions.to(float64).unsqueeze(1) * inverse;
        var cosine = angles.cos().Times(frequencies.AttentionFactor).to(type).unsqueeze(1);
        var sine = angles.sin().Times(frequencies.AttentionFactor).to(type).unsqueeze(1);
        return new RotaryTables(cosine.DetachFromDisposeScope(), sine.DetachFromDisposeScope());
    }

    /// <summary>Writes the same numbers, [T, hd/2] each, to plain memory.</summary>
    public static unsafe void Write(TokenLayout layout, RotaryFrequencies frequencies, FloatFormat format, nint cosine, nint sine)
    {
        var half = frequencies.Inverse.Length;
        var row = stackalloc float[2 * half];
        for (int b = 0, t = 0; b < layout.Rows; b++)
        {
            for (var i = 0; i < layout.Lengths[b]; i++, t++)
            {
                for (var pair = 0; pair < half; pair++)
                {
                    var (sin, cos) = Math.SinCos((layout.Starts[b] + i) * frequencies.Inverse[pair]);
                    (row[pair], row[half + pair]) = ((float)(cos * frequencies.AttentionFactor), (float)(sin * frequencies.AttentionFactor));
                }
                var at = (nint)t * half * (format == FloatFormat.Single ? sizeof(float) : sizeof(ushort));
                RowConversion.FromSingle(row, cosine + at, format, half);
                RowConversion.FromSingle(row + half, sine + at, format, half);
            }
        }
    }

    /// <summary>
    /// x [T, H, hd] → [T, H, hd]: the pairs (x_i, x_{i+hd/2}) turned by their angles, as Hugging Face lays pairs out.
    /// </summary>
    public Tensor Rotate(Tensor x)
    {
        if (HostFloats.Takes(x)) return HostRotary.Apply(x, this);
        using var scope = NewDisposeScope();
        var half = x.shape[2] / 2;
        var first = x.narrow(2, 0, half);
        var second = x.narrow(2, half, half);
        return cat([first * Cosine - second * Sine, second * Cosine + first * Sine], 2).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Cosine.Dispose();
        Sine.Dispose();
    }
}
