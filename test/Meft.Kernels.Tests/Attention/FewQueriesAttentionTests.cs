using CsCheck;
using Meft.Kernels.Attention;
using Meft.Kernels.Tests.Rows;

namespace Meft.Kernels.Tests.Attention;

public class FewQueriesAttentionTests
{
    private static readonly Gen<FloatFormat> AnyFormat = Gen.Bool.Select(narrow => narrow ? FloatFormat.BFloat16 : FloatFormat.Single);

    [Fact]
    public void Results_agree_with_those_over_whole_rows() =>
        Gen.Select(AnyFormat, Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[1, 6], Gen.Int[1, 40], Gen.Int[0, 40], Reference.AnyWidth, Gen.Int[0, 1000])
            .Sample((format, rows, keyHeads, group, size, window, width, seed) =>
            {
                const int capacity = 50;
                var random = new Random(seed);
                int[] lengths = [.. Enumerable.Range(0, rows).Select(row => random.Next(row == 0 ? 1 : 0, 4))];
                int[] starts = [.. lengths.Select(length => random.Next(capacity - length + 1))];
                int[] offsets = [.. lengths.Select((_, row) => lengths.Take(row).Sum())];
                // Rows lie in the cache in reverse order and leave a slot free.
                int[] slots = [.. lengths.Select((_, row) => rows - row)];
                int tokens = lengths.Sum(), heads = keyHeads * group;
                using FormattedRow q = new(format, tokens * heads * size, seed), o = new(format, tokens * heads * size), expected = new(format, tokens * heads * size);
                using FormattedRow k = new(format, (rows + 1) * keyHeads * capacity * size, seed + 1), v = new(format, k.Count, seed + 2);
                var shape = AttentionShape.Cached(
                    offsets, lengths, starts, capacity, heads, keyHeads, size, 1 / MathF.Sqrt(size), window == 0 ? null : window, slots,
                    seed % 3 == 0 ? 1.5f : null);
                FewQueriesAttention.Forward(shape, format, q.Address, k.Address, v.Address, o.Address, width);
                PackedAttention.Forward(shape, format, q.Address, k.Address, v.Address, expected.Address, width);
                // The two sum in different orders, and each rounds its result: to bfloat16 they may fall on neighbouring numbers.
                for (var i = 0; i < o.Count; i++) o.ShouldBeNear(i, expected[i], roundings: 2, Math.Max(Math.Abs(expected[i]), format == FloatFormat.Single ? 3 : 0.01));
            }, iter: 200);

    [Fact]
    public void Packed_keys_are_refused()
    {
        var shape = AttentionShape.Packed([0], [1], 1, 1, 8, 1, null);
        Assert.Throws<ArgumentException>(() => FewQueriesAttention.Forward(shape, FloatFormat.Single, 0, 0, 0, 0));
    }
}
