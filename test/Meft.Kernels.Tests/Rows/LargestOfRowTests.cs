using CsCheck;
using Meft.Kernels.Rows;

namespace Meft.Kernels.Tests.Rows;

public class LargestOfRowTests
{
    private static readonly Gen<FloatFormat> AnyFormat = Gen.Bool.Select(narrow => narrow ? FloatFormat.BFloat16 : FloatFormat.Single);

    [Fact]
    public void The_first_of_the_largest_is_found() =>
        Gen.Select(AnyFormat, Gen.Int[1, 5], Gen.Int[1, 20_000], Gen.Int[0, 1000]).Sample((format, rows, width, seed) =>
        {
            using var x = new FormattedRow(format, rows * width, seed);
            var (indices, values) = Find(x, format, rows, width);
            for (var row = 0; row < rows; row++)
            {
                var best = 0;
                for (var i = 1; i < width; i++) best = x[row * width + i] > x[row * width + best] ? i : best;
                Assert.Equal(best, indices[row]);
                Assert.Equal(x[row * width + best], values[row]);
            }
        }, iter: 100);

    [Theory]
    [InlineData(0)]
    [InlineData(12_345)]
    [InlineData(19_999)]
    public void A_number_that_is_none_is_the_largest(int place)
    {
        foreach (var format in Enum.GetValues<FloatFormat>())
        {
            using var x = new FormattedRow(format, 20_000, 1);
            x[7] = float.PositiveInfinity;
            x[place] = float.NaN;
            var (indices, values) = Find(x, format, 1, x.Count);
            Assert.Equal(place, indices[0]);
            Assert.True(float.IsNaN(values[0]));
        }
    }

    private static (int[] Indices, float[] Values) Find(FormattedRow x, FloatFormat format, int rows, int width)
    {
        var (indices, values) = (new int[rows], new float[rows]);
        LargestOfRow.Find(x.Address, format, rows, width, indices, values);
        return (indices, values);
    }
}
