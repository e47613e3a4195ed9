using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>
/// The gradient of <see cref="GatedRows"/>: with s = σ(z(g)), du = dy · (g · s), dg = dy · u · s · (1 + g · z'(g) · (1 − s)); g · s and dy · u are
/// rounded to the format first, as they would be in operations of their own.
/// </summary>
public static unsafe class GatedGradient
{
    private const int NumbersOfRange = 1 << 12;

    /// <summary>The gradients of gate and up.</summary>
    /// <param name="activation">The activation.</param>
    /// <param name="gate">[count].</param>
    /// <param name="up">[count].</param>
    /// <param name="dy">[count], the gradient of the result.</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="count">How many numbers.</param>
    /// <param name="dGate">[count], written; may be one of the inputs.</param>
    /// <param name="dUp">[count], written; may be another of the inputs.</param>
    public static void Apply(GateActivation activation, nint gate, nint up, nint dy, FloatFormat format, long count, nint dGate, nint dUp)
    {
        KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
        {
            for (var first = (long)from * NumbersOfRange; first < Math.Min(count, (long)to * NumbersOfRange); first += NumbersOfRange)
            {
                var offset = FloatRows.At(0, first, format);
                var piece = new Piece(gate + offset, up + offset, dy + offset, (int)Math.Min(NumbersOfRange, count - first), dGate + offset, dUp + offset);
                if (activation == GateActivation.Silu) Run<SiluGate>(piece, format);
                else Run<GeluTanhGate>(piece, format);
            }
        });
    }

    private readonly record struct Piece(nint Gate, nint Up, nint Dy, int Count, nint DGate, nint DUp);

    private static void Run<TGate>(in Piece piece, FloatFormat format) where TGate : IGate
    {
        if (format == FloatFormat.Single) Run<SingleRow, TGate>(piece);
        else Run<BFloat16Row, TGate>(piece);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFormat, TGate>(in Piece piece) where TFormat : IRowFormat where TGate : IGate
    {
        var (gate, up, dy, count, dGate, dUp) = piece;
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(gate, i, out var g0, out var g1);
            TFormat.Load(up, i, out var u0, out var u1);
            TFormat.Load(dy, i, out var d0, out var d1);
            Vector<float> s0 = Sigmoid(TGate.Z(g0)), s1 = Sigmoid(TGate.Z(g1));
            TFormat.Store(Slope<TGate>(g0, s0) * TFormat.Round(d0 * u0), Slope<TGate>(g1, s1) * TFormat.Round(d1 * u1), dGate, i);
            TFormat.Store(d0 * TFormat.Round(g0 * s0), d1 * TFormat.Round(g1 * s1), dUp, i);
        }
        for (; i < count; i++)
        {
            float g = TFormat.Load(gate, i), u = TFormat.Load(up, i), d = TFormat.Load(dy, i), s = 1 / (1 + MathF.Exp(-TGate.Z(g)));
            TFormat.Store(s * (1 + g * TGate.Slope(g) * (1 - s)) * TFormat.Round(d * u), dGate, i);
            TFormat.Store(d * TFormat.Round(g * s), dUp, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Sigmoid(Vector<float> z) => Vector<float>.One / (Vector<float>.One + Vector.Exp(-z));

    /// <summary>The derivative of the activation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Slope<TGate>(Vector<float> g, Vector<float> sigmoid) where TGate : IGate =>
        sigmoid * (Vector<float>.One + g * TGate.Slope(g) * (Vector<float>.One - sigmoid));
}
