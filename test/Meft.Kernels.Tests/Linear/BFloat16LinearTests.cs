using CsCheck;
using Meft.Kernels.Linear;

namespace Meft.Kernels.Tests.Linear;

public unsafe class BFloat16LinearTests
{
    [Fact]
    public void Products_agree_with_plain_loops() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 90], Gen.Int[1, 300], Gen.Bool, Gen.Int[0, 1000]).Sample((count, inputs, outputs, biased, seed) =>
        {
            ushort[] x = Random(count * inputs, seed), w = Random(outputs * inputs, seed + 1), b = Random(outputs, seed + 2), y = new ushort[count * outputs];
            fixed (ushort* px = x, pw = w, pb = b, py = y)
                BFloat16Linear.Apply(px, count, pw, biased ? pb : null, inputs, outputs, py);
            for (var i = 0; i < count; i++)
                for (var r = 0; r < outputs; r++)
                {
                    var expected = biased ? Single(b[r]) : 0.0;
                    for (var d = 0; d < inputs; d++) expected += (double)Single(x[i * inputs + d]) * Single(w[r * inputs + d]);
                    // Rounded to bfloat16: half of 2⁻⁷ of the value, beside the sum's own rounding.
                    Assert.True(Math.Abs(Single(y[i * outputs + r]) - expected) <= Math.Abs(expected) / 256 + 1e-5 * inputs,
                        $"vector {i}, row {r}: {Single(y[i * outputs + r])} against {expected}");
                }
        }, iter: 200);

    private static ushort[] Random(int count, int seed) =>
        [.. Reference.Random(count, seed).Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))];

    private static float Single(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}
