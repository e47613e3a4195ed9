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

    [Fact]
    public void One_bad_half_anywhere_is_found() =>
        Gen.Select(Gen.Int[1, 200_000], Gen.Int[0, int.MaxValue], Gen.Bool, Gen.Int[0, 2]).Sample((count, at, bad, what) =>
        {
            var bits = Enumerable.Range(0, count).Select(i => BitConverter.HalfToUInt16Bits(i % 2 == 0 ? Half.MaxValue : Half.MinValue)).ToArray();
            if (bad) bits[at % count] = BitConverter.HalfToUInt16Bits(what switch { 0 => Half.PositiveInfinity, 1 => Half.NegativeInfinity, _ => Half.NaN });
            fixed (ushort* p = bits) Finite.AllHalves(p, count).ShouldBe(!bad);
        }, iter: 100);
}
