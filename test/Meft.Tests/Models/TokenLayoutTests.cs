using CsCheck;
using Meft.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

public class TokenLayoutTests
{
    private static readonly Gen<(int Left, int Length, int Right)[]> Rows =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 6], Gen.Int[0, 3]).Array[1, 5].Where(rows => rows.Any(row => row.Item2 > 0));

    [Fact]
    public void Rows_of_unlike_length_fall_into_classes_whose_rows_are_alike() => Rows.Sample(rows =>
    {
        using var layout = TokenLayout.FromLengths([.. rows.Select(r => r.Length)], CPU);
        layout.IsSparse.ShouldBe(layout.Rows * layout.Length > 2 * layout.TokenCount);
        using var classes = new LengthClasses(layout);
        classes.Layouts.ShouldAllBe(l => !l.IsSparse && l.Lengths.Min() > 0);
        classes.Layouts.Sum(l => l.TokenCount).ShouldBe(layout.TokenCount);
        var order = classes.Order.data<long>().ToArray();
        order.Order().ShouldBe(Enumerable.Range(0, layout.TokenCount).Select(t => (long)t));
        classes.Places.data<long>().ToArray().Index().ShouldAllBe(p => order[p.Item] == p.Index);
        // A row's tokens stay together and in order, at the row's own positions.
        var positions = layout.Positions.data<long>().ToArray();
        order.Select(t => positions[t]).ShouldBe(classes.Layouts.SelectMany(l => l.Positions.data<long>().ToArray()));
    });

    [Fact]
    public void Packing_takes_the_real_tokens_in_order_and_unpacking_puts_them_back() => Rows.Sample(rows =>
    {
        using var scope = NewDisposeScope();
        var width = rows.Max(row => row.Left + row.Length + row.Right);
        var mask = new long[rows.Length, width];
        var values = new long[rows.Length, width];
        var real = new List<long>();
        for (var row = 0; row < rows.Length; row++)
        {
            for (var i = 0; i < width; i++)
            {
                var isReal = i >= rows[row].Left && i < rows[row].Left + rows[row].Length;
                mask[row, i] = isReal ? 1 : 0;
                values[row, i] = isReal ? 100 * row + i + 1 : 0;
                if (isReal) real.Add(values[row, i]);
            }
        }
        using var layout = TokenLayout.FromMask(tensor(mask), CPU);
        var packed = layout.Pack(tensor(values));
        packed.data<long>().ToArray().ShouldBe(real);
        TinyModel.Same(layout.Unpack(packed), tensor(values)).ShouldBeTrue();
        layout.Lengths.ShouldBe(rows.Select(row => row.Length));
        (layout.Rows, layout.TokenCount, layout.Length).ShouldBe((rows.Length, real.Count, rows.Max(row => row.Length)));
        layout.Positions.data<long>().ToArray()
            .ShouldBe(rows.SelectMany(row => Enumerable.Range(0, row.Length).Select(i => (long)i)));
    }, iter: 200);

    [Fact]
    public void Where_nothing_is_padded_there_are_no_indices()
    {
        using var even = TokenLayout.FromLengths([3, 3], CPU);
        even.Slots.ShouldBeNull();
        using var uneven = TokenLayout.FromLengths([1, 3], CPU, starts: [4, 0]);
        uneven.Slots!.data<long>().ToArray().ShouldBe([0, 3, 4, 5]);
        uneven.EmptySlots!.data<long>().ToArray().ShouldBe([1, 2]);
        uneven.Positions.data<long>().ToArray().ShouldBe([4, 0, 1, 2]);
        uneven.Offsets.ShouldBe([0, 1]);
    }

    [Fact]
    public void Padding_between_real_tokens_and_empty_batches_are_refused()
    {
        using var holes = tensor(new long[,] { { 1, 1, 1 }, { 1, 0, 1 } });
        Should.Throw<ArgumentException>(() => TokenLayout.FromMask(holes, CPU)).Message.ShouldContain("row 1");
        Should.Throw<ArgumentException>(() => TokenLayout.FromLengths([], CPU));
        Should.Throw<ArgumentException>(() => TokenLayout.FromLengths([0, 0], CPU));
        Should.Throw<ArgumentException>(() => TokenLayout.FromLengths([2, -1], CPU));
    }
}
