using CsCheck;
using Meft.Core.Data;
using Meft.Core.Data.Store;
using Shouldly;

namespace Meft.Core.Tests.Data.Store;

public class RowCodecTests
{
    private static readonly RowOrigin Origin = new("f", 3);

    private static readonly Gen<TokenRow> Row = Gen.Select(Gen.Int[0, 2], Gen.Int[0, int.MaxValue], Gen.Int[1, 6]).Array[0, 8].Select(runs =>
    {
        var ids = new List<int>();
        var labels = new List<int>();
        foreach (var (kind, id, count) in runs)
        {
            for (var i = 0; i < count; i++)
            {
                ids.Add(id);
                labels.Add(kind switch { 0 => TokenRow.Ignored, 1 => id, _ => id / 2 + i });
            }
        }
        return new TokenRow([.. ids], [.. labels], Origin);
    });

    [Fact]
    public void What_was_written_is_read() => Row.Sample(row =>
    {
        var read = RowCodec.Read(Bytes(row), row.Length, Origin).ShouldNotBeNull();
        (read.InputIds, read.Labels, read.Origin).ShouldBe((row.InputIds, row.Labels, Origin), new RowComparer());
    });

    [Fact]
    public void A_prompt_and_its_answer_take_two_runs() =>
        Bytes(new TokenRow([1, 2, 3, 4], [TokenRow.Ignored, TokenRow.Ignored, 3, 4], Origin)).Length.ShouldBe(4 * 4 + 2 * 4);

    [Fact]
    public void Bytes_that_are_no_row_are_no_row() => Gen.Select(Row, Gen.Int[0, 60], Gen.Byte, Gen.Int[-3, 3]).Sample((row, place, value, length) =>
    {
        var bytes = Bytes(row);
        if (place < bytes.Length) bytes[place] = value;
        // Neither may throw; what is read has the length that was asked for.
        var asked = Math.Max(0, row.Length + length);
        (RowCodec.Read(bytes, asked, Origin)?.Length ?? asked).ShouldBe(asked);
        RowCodec.Read(bytes.AsSpan(0, Math.Min(place, bytes.Length)), row.Length, Origin);
    });

    private static byte[] Bytes(TokenRow row)
    {
        var bytes = new List<byte>();
        RowCodec.Write(row, bytes);
        return [.. bytes];
    }

    private sealed class RowComparer : IEqualityComparer<(int[] Ids, int[] Labels, RowOrigin Origin)>
    {
        public bool Equals((int[] Ids, int[] Labels, RowOrigin Origin) x, (int[] Ids, int[] Labels, RowOrigin Origin) y) =>
            x.Ids.SequenceEqual(y.Ids) && x.Labels.SequenceEqual(y.Labels) && x.Origin == y.Origin;

        public int GetHashCode((int[] Ids, int[] Labels, RowOrigin Origin) row) => row.Ids.Length;
    }
}
