using Meft.Kernels;
using Meft.Kernels.Rows;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Cosines and sines of the tokens of one layout, made once and used by all layers.</summary>
/// <param name="Cosine">[T, 1, n/2], n the numbers of a head that are turned.</param>
/// <param name="Sine">[T, 1, n/2].</param>
internal sealed record RotaryTables(Tensor Cosine, Tensor Sine) : IDisposable
{
    /// <summary>The tables of a layout's tokens in the given type.</summary>
    public static RotaryTables Of(TokenLayout layout, RotaryFrequencies frequencies, ScalarType type)
    {
        Check(layout, frequencies);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var angles = Angles(layout, frequencies.Inverse);
        if (frequencies.LongInverse is { } inverse && LengthsOf(layout).Any(length => length > frequencies.ShortLength))
        {
            IList<bool> isLong = [.. LengthsOf(layout).SelectMany((length, row) => Enumerable.Repeat(length > frequencies.ShortLength, layout.Lengths[row]))];
            angles = where(tensor(isLong, device: layout.Device).unsqueeze(1), Angles(layout, inverse), angles);
        }
        var cosine = angles.cos().Times(frequencies.AttentionFactor).to(type).unsqueeze(1);
        var sine = angles.sin().Times(frequencies.AttentionFactor).to(type).unsqueeze(1);
        return new RotaryTables(cosine.DetachFromDisposeScope(), sine.DetachFromDisposeScope());
    }

    /// <summary>Writes the same numbers, [T, n/2] each, to plain memory.</summary>
    public static unsafe void Write(TokenLayout layout, RotaryFrequencies frequencies, FloatFormat format, nint cosine, nint sine)
    {
        Check(layout, frequencies);
        var half = frequencies.Inverse.Length;
        var row = stackalloc float[2 * half];
        for (int b = 0, t = 0; b < layout.Rows; b++)
        {
            var inverse = frequencies.InverseOf(layout.Starts[b] + layout.Lengths[b]);
            for (var i = 0; i < layout.Lengths[b]; i++, t++)
            {
                for (var pair = 0; pair < half; pair++)
                {
                    var (sin, cos) = Math.SinCos((layout.Starts[b] + i) * inverse[pair]);
                    (row[pair], row[half + pair]) = ((float)(cos * frequencies.AttentionFactor), (float)(sin * frequencies.AttentionFactor));
                }
                var at = (nint)t * half * (format == FloatFormat.Single ? sizeof(float) : sizeof(ushort));
                RowConversion.FromSingle(row, cosine + at, format, half);
                RowConversion.FromSingle(row + half, sine + at, format, half);
            }
        }
    }

    /// <summary>
    /// x [T, H, hd] → [T, H, hd]: the pairs (x_i, x_{i+n/2}) of the first n numbers turned by their angles, as Hugging Face lays pairs out.
    /// </summary>
    public Tensor Rotate(Tensor x)
    {
        if (HostFloats.Takes(x)) return HostRotary.Apply(x, this);
        using var scope = NewDisposeScope();
        var half = Cosine.shape[2];
        var first = x.narrow(2, 0, half);
        var second = x.narrow(2, half, half);
        List<Tensor> parts = [first * Cosine - second * Sine, (second * Cosine).Plus(first * Sine)];
        if (2 * half < x.shape[2]) parts.Add(x.narrow(2, 2 * half, x.shape[2] - 2 * half));
        return cat(parts, 2).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Cosine.Dispose();
        Sine.Dispose();
    }

    /// <summary>[T, n/2] in float64: in float32 the angle of position 100,000 would be off by 0.004.</summary>
    private static Tensor Angles(TokenLayout layout, double[] inverse) =>
        layout.Positions.to(float64).unsqueeze(1) * tensor(inverse, float64, layout.Device);

    private static IEnumerable<int> LengthsOf(TokenLayout layout) => layout.Starts.Zip(layout.Lengths, (start, count) => start + count);

    /// <summary>Earlier tokens of a row that has grown beyond the short length were turned by other angles: they must be computed anew.</summary>
    private static void Check(TokenLayout layout, RotaryFrequencies frequencies)
    {
        for (var row = 0; row < layout.Rows; row++)
        {
            if (layout.Starts[row] > 0 && layout.Starts[row] <= frequencies.ShortLength && layout.Starts[row] + layout.Lengths[row] > frequencies.ShortLength)
                throw new InvalidOperationException($"row {row} grows beyond {frequencies.ShortLength} tokens with earlier ones in the cache");
        }
    }
}
