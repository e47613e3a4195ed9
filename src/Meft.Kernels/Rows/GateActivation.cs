using System.Numerics;

namespace Meft.Kernels.Rows;

/// <summary>The activation of a gated product.</summary>
public enum GateActivation
{
    /// <summary>g · σ(g).</summary>
    Silu,

    /// <summary>The tanh approximation of the Gaussian error linear unit (arXiv 1606.08415).</summary>
    GeluTanh,
}

/// <summary>An activation of the form g · σ(z(g)) with σ(z) = 1 / (1 + e^−z): its z and the slope of z.</summary>
internal interface IGate
{
    static abstract Vector<float> Z(Vector<float> g);

    static abstract float Z(float g);

    static abstract Vector<float> Slope(Vector<float> g);

    static abstract float Slope(float g);
}

/// <summary>z(g) = g.</summary>
internal readonly struct SiluGate : IGate
{
    public static Vector<float> Z(Vector<float> g) => g;

    public static float Z(float g) => g;

    public static Vector<float> Slope(Vector<float> g) => Vector<float>.One;

    public static float Slope(float g) => 1;
}

/// <summary>½ · (1 + tanh(u)) = σ(2u), so that z(g) = 2 · √(2/π) · (g + 0.044715 · g³).</summary>
internal readonly struct GeluTanhGate : IGate
{
    private const float Cubic = 0.044715f;
    private const float Factor = 1.5957691216057308f; // 2 · √(2/π)

    public static Vector<float> Z(Vector<float> g) => Factor * (g + Cubic * (g * g * g));

    public static float Z(float g) => Factor * (g + Cubic * (g * g * g));

    public static Vector<float> Slope(Vector<float> g) => Factor * (Vector<float>.One + 3 * Cubic * (g * g));

    public static float Slope(float g) => Factor * (1 + 3 * Cubic * (g * g));
}
