using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>
/// The gradient of <see cref="SwiGluRows"/>: du = dy · silu(g), dg = dy · u · σ(g) · (1 + g · (1 − σ(g))) with σ(g) = 1 / (1 + e^−g);
/// silu(g) and dy · u are rounded to the format first, as they would be in operations of their own.
/// </summary>
public static unsafe class SwiGluGradient
{
    private const int NumbersOfRange = 1 << 12;

    /// <summary>The gradients of gate and up.</summary>
    /// <param name="gate">[count].</param>
    /// <param name="up">[count].</param>
    /// <param name="dy">[count], the gradient of the result.</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="count">How many numbers.</param>
    /// <param name="dGate">[count], written; may be one of the inputs.</param>
    /// <param name="dUp">[count], written; may be another of the inputs.</param>
    public static void Apply(nint gate, nint up, nint dy, FloatFormat format, long count, nint dGate, nint dUp)
    {
        KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
        {
            for (var first = (long)from * NumbersOfRange; first < Math.Min(count, (long)to * NumbersOfRange); first += NumbersOfRange)
            {
                var offset = FloatRows.At(0, first, format);
                var length = (int)Math.Min(NumbersOfRange, count - first);
                if (format == FloatFormat.Single) Run<SingleRow>(gate + offset, up + offset, dy + offset, length, dGate + offset, dUp + offset);
                else Run<BFloat16Row>(gate + offset, up + offset, dy + offset, length, dGate + offset, dUp + offset);
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFormat>(nint gate, nint up, nint dy, int count, nint dGate, nint dUp) where TFormat : IRowFormat
    {
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(gate, i, out var g0, out var g1);
            TFormat.Load(up, i, out var u0, out var u1);
            TFormat.Load(dy, i, out var d0, out var d1);
            Vector<float> s0 = Sigmoid(g0), s1 = Sigmoid(g1);
            TFormat.Store(Slope(g0, s0) * TFormat.Round(d0 * u0), Slope(g1, s1) * TFormat.Round(d1 * u1), dGate, i);
            TFormat.Store(d0 * TFormat.Round(g0 * s0), d1 * TFormat.Round(g1 * s1), dUp, i);
        }
        for (; i < count; i++)
        {
            float g = TFormat.Load(gate, i), u = TFormat.Load(up, i), d = TFormat.Load(dy, i), s = 1 / (1 + MathF.Exp(-g));
            TFormat.Store(s * (1 + g * (1 - s)) * TFormat.Round(d * u), dGate, i);
            TFormat.Store(d * TFormat.Round(g * s), dUp, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Sigmoid(Vector<float> g) => Vector<float>.One / (Vector<float>.One + Vector.Exp(-g));

    /// <summary>The derivative of silu.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Slope(Vector<float> g, Vector<float> sigmoid) =>
        sigmoid * (Vector<float>.One + g * (Vector<float>.One - sigmoid));
}
