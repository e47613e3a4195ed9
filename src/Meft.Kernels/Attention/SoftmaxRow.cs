using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels.Attention;

/// <summary>A row of attention scores, its width a multiple of every register's. Entries outside of [from, to) count for nothing.</summary>
internal static unsafe class SoftmaxRow
{
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

    private static void Hide(float* x, int from, int to, int width)
    {
        new Span<float>(x, from).Fill(float.NegativeInfinity);
        new Span<float>(x + to, width - to).Fill(float.NegativeInfinity);
    }
}
