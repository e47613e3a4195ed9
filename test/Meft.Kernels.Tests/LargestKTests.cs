using CsCheck;
using Shouldly;

namespace Meft.Kernels.Tests;

public class LargestKTests
{
    [Fact]
    public void Agrees_with_a_stable_sort_ties_and_all() =>
        Gen.Select(Gen.Int[-3, 3].Select(i => i / 2f).Array[0, 100], Gen.OneOf(Gen.Int[0, 75], Gen.Int[1, 20])).Sample((values, k) =>
            Select(values, k).ShouldBe(StableSort(values, k)));

    [Fact]
    public void Agrees_with_a_stable_sort_on_any_floats() =>
        Gen.Select(Gen.Float.Where(f => !float.IsNaN(f)).Array[0, 300], Gen.OneOf(Gen.Int[0, 300], Gen.Int[1, 20])).Sample((values, k) =>
            Select(values, k).ShouldBe(StableSort(values, k)));

    [Fact]
    public void Minus_zero_ties_with_zero() => Select([-0f, 0f, -0f], 2).ShouldBe([0, 1]);

    [Fact]
    public void Not_a_number_is_selected_and_does_not_hang() =>
        Select([1f, float.NaN, 3f, float.PositiveInfinity], 2).ShouldBe([1, 3]);

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    public void Not_a_number_is_selected_among_many_wherever_it_stands(int k)
    {
        for (var at = 0; at < 200; at++)
        {
            var values = Enumerable.Range(0, 200).Select(i => (float)i).ToArray();
            (values[at], values[7]) = (float.NaN, float.NaN);
            Select(values, k).ShouldBe(StableSort([.. values.Select(v => float.IsNaN(v) ? float.PositiveInfinity : v)], k));
        }
    }

    private static int[] Select(float[] values, int k)
    {
        var selected = new int[Math.Min(k, values.Length)];
        LargestK.Select(values, k, new uint[values.Length], selected).ShouldBe(selected.Length);
        return selected;
    }

    private static int[] StableSort(float[] values, int k) =>
        [.. Enumerable.Range(0, values.Length).OrderByDescending(i => values[i] + 0f).ThenBy(i => i).Take(k).Order()];
}
