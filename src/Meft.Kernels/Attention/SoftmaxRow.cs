using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Attention;

/// <summary>A row of attention scores, its width a multiple of every register's. Entries outside of [from, to) count for nothing.</summary>
internal static unsafe class SoftmaxRow
{
    /// <summary>x ← cap · tanh(x / cap), and where asked for the slope of that, 1 − tanh².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cap(float* x, float cap, int width, float* slope = null)
    {
        Vector<float> caps = new(cap), inverse = new(1 / cap);
        for (var i = 0; i < width; i += Vector<float>.Count)
        {
            var t = Tanh(Vector.Load(x + i) * inverse);
            (t * caps).Store(x + i);
            if (slope is not null) (Vector<float>.One - t * t).Store(slope + i);
        }
    }

    /// <summary>x ← x · y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float* y, int width)
    {
        for (var i = 0; i < width; i += Vector<float>.Count) (Vector.Load(x + i) * Vector.Load(y + i)).Store(x + i);
    }

    /// <summary>x ← softmax(x) within [from, to), 0 elsewhere.</summary>
    public static void Softmax(float* x, int from, int to, int width) => Scale(x, 1 / Exponentiate(x, from, to, width), width);

    /// <summary>x ← exp(x − max) within [from, to), 0 elsewhere; their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Exponentiate(float* x, int from, int to, int width)
    {
        Hide(x, from, to, width);
        var largest = new Vector<float>(float.NegativeInfinity);
        for (var i = 0; i < width; i += Vector<float>.Count) largest = Vector.Max(largest, Vector.Load(x + i));
        var max = largest[0];
        for (var lane = 1; lane < Vector<float>.Count; lane++) max = Math.Max(max, largest[lane]);
        var sum = Vector<float>.Zero;
        var shift = new Vector<float>(max);
        for (var i = 0; i < width; i += Vector<float>.Count)
        {
            var e = Vector.Exp(Vector.Load(x + i) - shift);
            sum += e;
            e.Store(x + i);
        }
        return Vector.Sum(sum);
    }

    /// <summary>x ← x · factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* x, float factor, int width)
    {
        var factors = new Vector<float>(factor);
        for (var i = 0; i < width; i += Vector<float>.Count) (Vector.Load(x + i) * factors).Store(x + i);
    }

    /// <summary>dp ← p · (dp − delta): the gradient of the scores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Differentiate(float* p, float* dp, float delta, int width)
    {
        var deltas = new Vector<float>(delta);
        for (var i = 0; i < width; i += Vector<float>.Count) (Vector.Load(p + i) * (Vector.Load(dp + i) - deltas)).Store(dp + i);
    }

    /// <summary>a · b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* a, float* b, int width)
    {
        var sum = Vector<float>.Zero;
        for (var i = 0; i < width; i += Vector<float>.Count) sum += Vector.Load(a + i) * Vector.Load(b + i);
        return Vector.Sum(sum);
    }

    /// <summary>1 − 2 / (e^2x + 1); near zero, where that loses digits, the first terms of the power series.</summary>
    private static Vector<float> Tanh(Vector<float> x)
    {
        var square = x * x;
        var series = new Vector<float>(62f / 2835);
        series = series * square - new Vector<float>(17f / 315);
        series = series * square + new Vector<float>(2f / 15);
        series = series * square - new Vector<float>(1f / 3);
        series = x + x * square * series;
        var far = Vector<float>.One - new Vector<float>(2) / (Vector.Exp(x + x) + Vector<float>.One);
        return Vector.ConditionalSelect(Vector.LessThan(square, new Vector<float>(1f / 16)), series, far);
    }

    private static void Hide(float* x, int from, int to, int width)
    {
        new Span<float>(x, from).Fill(float.NegativeInfinity);
        new Span<float>(x + to, width - to).Fill(float.NegativeInfinity);
    }
}
