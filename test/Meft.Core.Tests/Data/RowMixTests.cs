using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Shouldly;

namespace Meft.Core.Tests.Data;

/// <summary>Weights of files: how often an epoch takes their rows.</summary>
public class RowMixTests
{
    private static readonly Gen<double> Weight = Gen.OneOf(Gen.Double[0.01, 3.5], Gen.Int[1, 3].Select(n => (double)n), Gen.Const(0.5));

    [Fact]
    public void Every_row_is_taken_as_often_as_its_files_weight_says() =>
        Gen.Select(Gen.Int[1, 30], Gen.Int[1, 30], Weight, Weight, Gen.Long).Sample((first, second, a, b, seed) =>
        {
            var rows = Rows(first, second);
            var mix = RowMix.Of(rows, Weights(a, b), seed);
            var epochs = Enumerable.Range(0, 7).Select(mix.RowsOf).ToList();
            foreach (var (file, weight) in rows.Files.Zip([a, b]))
            {
                int[] Counts(int from, int upTo)
                {
                    var taken = epochs[from..upTo].SelectMany(e => e).GroupBy(r => r).ToDictionary(g => g.Key, g => g.Count());
                    return [.. Enumerable.Range(file.First, file.Count).Select(r => taken.GetValueOrDefault(r))];
                }
                // In one epoch and in any run of them: all rows alike, give or take one.
                for (var from = 0; from < epochs.Count; from++)
                {
                    for (var upTo = from + 1; upTo <= epochs.Count; upTo++) (Counts(from, upTo).Max() - Counts(from, upTo).Min()).ShouldBeLessThanOrEqualTo(1);
                    var count = Counts(from, from + 1).Sum();
                    if (weight * file.Count >= 1) ((double)count).ShouldBe(weight * file.Count, 0.5 + 1e-9);
                    else count.ShouldBe(1);
                }
            }
            epochs.ShouldAllBe(e => e.Length == mix.Count);
        });

    [Fact]
    public void A_share_differs_by_epoch_and_follows_the_seed()
    {
        var rows = Rows(40, 1);
        int[] Taken(long seed, int epoch) => RowMix.Of(rows, Weights(0.5, 1), seed).RowsOf(epoch);
        Taken(3, 0).ShouldBe(Taken(3, 0));
        Taken(3, 0).Intersect(Taken(3, 1)).ShouldBe([40]); // the other half, and the other file's row
        Taken(3, 0).ShouldNotBe(Taken(4, 0));
        Taken(3, 0).ShouldBeInOrder();
    }

    [Fact]
    public void Whole_weights_repeat_the_file_where_it_stands()
    {
        var rows = Rows(2, 3);
        RowMix.Of(rows, Weights(2, 1), 0).RowsOf(5).ShouldBe([0, 1, 0, 1, 2, 3, 4]);
        RowMix.Of(rows, Weights(2, 1), 0).Varies.ShouldBeFalse();
        RowMix.Of(rows, new Dictionary<string, double>(), 0).RowsOf(1).ShouldBe([0, 1, 2, 3, 4]);
    }

    [Fact]
    public void Weights_of_one_change_nothing_of_the_order()
    {
        var rows = Rows(17, 23);
        string Order(RowMix? mix) => string.Join(',', new BatchSchedule(rows, new BatchConfig { Size = 4 }, 9, 2, null, shuffle: true, mix: mix)
            .Steps().SelectMany(s => s.MicroBatches[0].Select(r => r.ToString())));
        Order(RowMix.Of(rows, Weights(1, 1), 9)).ShouldBe(Order(null));
    }

    [Fact]
    public void A_schedule_with_weights_takes_the_same_steps_when_resumed() =>
        Gen.Select(Gen.Int[1, 30], Weight, Gen.Bool, Gen.Bool, Gen.Long).Sample((count, weight, shuffle, group, seed) =>
        {
            var rows = Rows(count, 7);
            BatchSchedule Schedule() => new(
                rows, new BatchConfig { Size = 3, Accumulate = 2 }, seed, 3, null, shuffle, group, mix: RowMix.Of(rows, Weights(weight, 1), seed));
            var whole = Schedule().Steps().ToList();
            whole[^1].EpochsDone.ShouldBe(3);
            for (var from = 0; from < whole.Count; from++)
                Schedule().StepAt(from).MicroBatches.SelectMany(m => m).ShouldBe(whole[from].MicroBatches.SelectMany(m => m));
        }, iter: 50);

    [Fact]
    public void More_rows_than_can_be_numbered_are_refused() =>
        Should.Throw<InvalidInputException>(() => RowMix.Of(Rows(3000, 1), Weights(1e6, 1), 0)).Location.ShouldBe("data.train");

    private static ITokenRows Rows(int first, int second) => TokenRows.Of(
        [.. Enumerable.Range(0, first + second).Select(i => new TokenRow([1, 2], [1, 2], new RowOrigin(i < first ? "a" : "b", i)))]);

    private static Dictionary<string, double> Weights(double a, double b) => new() { ["a"] = a, ["b"] = b };
}
