using System.Numerics;
using System.Runtime.CompilerServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Rows;

/// <summary>Gated products (arXiv 2002.05202): y = activation(g) · u; the activation is rounded to the format before the product.</summary>
public static unsafe class GatedRows
{
    private const int NumbersOfRange = 1 << 12;

    /// <summary>y[i] = activation(gate[i]) · up[i].</summary>
    /// <param name="activation">The activation.</param>
    /// <param name="gate">[count].</param>
    /// <param name="up">[count].</param>
    /// <param name="format">The format of everything.</param>
    /// <param name="count">How many numbers.</param>
    /// <param name="y">[count], written; may be one of the inputs.</param>
    public static void Apply(GateActivation activation, nint gate, nint up, FloatFormat format, long count, nint y)
    {
        if (count <= NumbersOfRange) Run(activation, gate, up, format, 0, (int)count, y);
        else
        {
            KernelThreads.For(checked((int)((count + NumbersOfRange - 1) / NumbersOfRange)), grain: 1, (from, to) =>
            {
                for (var range = from; range < to; range++)
                {
                    var first = (long)range * NumbersOfRange;
                    Run(activation, gate, up, format, first, (int)Math.Min(NumbersOfRange, count - first), y);
                }
            });
        }
    }

    private static void Run(GateActivation activation, nint gate, nint up, FloatFormat format, long first, int count, nint y)
    {
        var offset = FloatRows.At(0, first, format);
        if (activation == GateActivation.Silu) Run<SiluGate>(gate + offset, up + offset, format, count, y + offset);
        else Run<GeluTanhGate>(gate + offset, up + offset, format, count, y + offset);
    }

    private static void Run<TGate>(nint gate, nint up, FloatFormat format, int count, nint y) where TGate : IGate
    {
        if (format == FloatFormat.Single) Run<SingleRow, TGate>(gate, up, count, y);
        else Run<BFloat16Row, TGate>(gate, up, count, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TFormat, TGate>(nint gate, nint up, int count, nint y) where TFormat : IRowFormat where TGate : IGate
    {
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            TFormat.Load(gate, i, out var g0, out var g1);
            TFormat.Load(up, i, out var u0, out var u1);
            TFormat.Store(TFormat.Round(Activated<TGate>(g0)) * u0, TFormat.Round(Activated<TGate>(g1)) * u1, y, i);
        }
        for (; i < count; i++)
        {
            var g = TFormat.Load(gate, i);
            TFormat.Store(TFormat.Round(g / (1 + MathF.Exp(-TGate.Z(g)))) * TFormat.Load(up, i), y, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Activated<TGate>(Vector<float> g) where TGate : IGate => g / (Vector<float>.One + Vector.Exp(-TGate.Z(g)));
}
