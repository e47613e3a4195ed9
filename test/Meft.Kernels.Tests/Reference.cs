using CsCheck;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Tests;

/// <summary>Random data, and the plain float64 loops that every kernel is held against.</summary>
internal static class Reference
{
    public static SimdWidth[] Widths { get; } =
        [.. Enum.GetValues<SimdWidth>().Where(w => w <= SimdSupport.Widest)];

    public static Gen<SimdWidth> AnyWidth { get; } = Gen.Int[0, Widths.Length - 1].Select(i => Widths[i]);

    public static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)(random.NextDouble() * 2 - 1);
        return values;
    }

    public static double Dot(float[] a, int rowA, float[] b, int rowB, int d)
    {
        double sum = 0;
        for (var i = 0; i < d; i++) sum += (double)a[rowA * d + i] * b[rowB * d + i];
        return sum;
    }

    public static void ShouldBeNear(double actual, double expected, double scale, string what) =>
        Assert.True(Math.Abs(actual - expected) <= 2e-6 * (scale + 1), $"{what}: {actual} against {expected}");
}
