using CsCheck;
using Shouldly;

namespace Meft.Kernels.Tests;

public unsafe class FiniteTests
{
    [Fact]
    public void One_bad_number_anywhere_is_found() =>
        Gen.Select(Gen.Int[1, 600], Gen.Int[1, 40], Gen.Int[0, int.MaxValue], Gen.Bool, Gen.Bool).Sample((rows, d, at, bad, infinite) =>
        {
            var values = Enumerable.Repeat(float.MaxValue, rows * d).ToArray();
            if (bad) values[at % values.Length] = infinite ? float.NegativeInfinity : float.NaN;
            fixed (float* p = values) Finite.All(p, rows, d).ShouldBe(!bad);
        }, iter: 100);
}
