using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Shouldly;

namespace Meft.Core.Tests.Data;

/// <summary>Packing: whole rows in bins, and what a step is then.</summary>
public class PackedScheduleTests
{
    private const int Capacity = 20;

    private static readonly Gen<Case> Cases = Gen.Select(
        Gen.Int[1, Capacity].Array[1, 60], Gen.Int[1, 4], Gen.Int[1, 3], Gen.Long, Gen.Int[1, 3], Gen.Bool,
        (lengths, size, accumulate, seed, epochs, shuffle) => new Case(lengths, size, accumulate, seed, epochs, shuffle));

    [Fact]
    public void Bins_hold_every_row_once_and_are_never_over_full() =>
        Gen.Select(Cases, Gen.Int[1, 70], Gen.Int[0, 3]).Sample((c, window, epoch) =>
        {
            var order = SeededPermutation.Of(c.Lengths.Length, 5, 0);
            var packed = RowBins.Of(epoch, order, c.Rows, Capacity, c.Shuffle ? c.Seed : null, window);
            packed.Rows.Order().ShouldBe(Enumerable.Range(0, c.Lengths.Length));
            Bins(packed).Select(bin => bin.Sum(row => c.Lengths[row])).ShouldAllBe(tokens => tokens > 0 && tokens <= Capacity);
            packed.StartOf(packed.BinCount).ShouldBe(c.Lengths.Length);
            // First fit leaves at most one bin half empty; here that holds of each window.
            var windows = (c.Lengths.Length + window - 1) / window;
            Bins(packed).Count(bin => bin.Sum(row => c.Lengths[row]) * 2 <= Capacity).ShouldBeLessThanOrEqualTo(windows);
        });

    [Fact]
    public void Rows_that_keep_their_order_are_packed_with_their_neighbours() => Cases.Sample(c =>
    {
        const int Window = 8;
        var packed = RowBins.Of(0, [.. Enumerable.Range(0, c.Lengths.Length)], c.Rows, Capacity, null, Window);
        var bins = Bins(packed);
        bins.Select(bin => bin[0]).ShouldBeInOrder();
        bins.ShouldAllBe(bin => bin.SequenceEqual(bin.Order()) && bin.Max() - bin.Min() < Window);
    });

    [Fact]
    public void The_longest_rows_are_placed_first() =>
        Bins(RowBins.Of(0, [0, 1, 2, 3, 4], new Case([5, 12, 8, 15, 20], 1, 1, 0, 1, false).Rows, Capacity, null, 100))
            .Select(bin => string.Join(',', bin)).ShouldBe(["0,3", "1,2", "4"]);

    [Fact]
    public void A_row_that_is_too_long_has_a_bin_of_its_own() =>
        Bins(RowBins.Of(0, [0, 1, 2], new Case([1, 30, 1], 1, 1, 0, 1, false).Rows, Capacity, null, 100))
            .Select(bin => string.Join(',', bin)).ShouldBe(["0,2", "1"]);

    [Fact]
    public void Every_epoch_takes_every_row_once_in_steps_of_bins() => Cases.Sample(c =>
    {
        var steps = c.Schedule().Steps().ToList();
        steps.Count.ShouldBe(c.Schedule().TotalSteps);
        foreach (var epoch in steps.GroupBy(s => s.Epoch))
        {
            epoch.SelectMany(Lines).Order().ShouldBe(Enumerable.Range(0, c.Lengths.Length));
            epoch.Count().ShouldBe(c.Schedule().StepsPerEpoch);
            epoch.Count(s => s.EndsEpoch).ShouldBe(1);
            epoch.Last().EpochsDone.ShouldBe(epoch.Key + 1);
            var taken = 0;
            foreach (var step in epoch)
            {
                step.EpochsDone.ShouldBe(epoch.Key + (taken += Lines(step).Length) / (double)c.Lengths.Length);
                step.MicroBatches.Count.ShouldBeLessThanOrEqualTo(c.Accumulate);
                step.MicroBatches.ShouldAllBe(m => m.Sum(r => r.Length) <= c.Size * Capacity);
            }
        }
        steps.GroupBy(s => s.Epoch).Count().ShouldBe(c.Epochs);
    });

    [Fact]
    public void A_resumed_run_takes_the_steps_of_the_first_one() =>
        Gen.Select(Cases, Gen.Double[0.05, 2.5]).Sample((c, weight) =>
        {
            var whole = c.Schedule(weight).Steps().Select(s => string.Join(',', Lines(s))).ToList();
            for (var from = 0; from <= whole.Count; from++)
            {
                var resumed = c.Schedule(weight);
                resumed.Steps(from).Select(s => string.Join(',', Lines(s))).ShouldBe(whole.Skip(from));
                if (from < whole.Count) string.Join(',', c.Schedule(weight).RowsOf(from).SelectMany(m => m)).ShouldBe(whole[from]);
            }
        }, iter: 30);

    [Fact]
    public void Epochs_of_unlike_rows_may_differ_in_their_steps_and_still_add_up() =>
        Gen.Select(Cases, Gen.Double[0.1, 2.5]).Sample((c, weight) =>
        {
            var schedule = c.Schedule(weight);
            var steps = schedule.Steps().ToList();
            steps.Count(s => s.EndsEpoch).ShouldBe(c.Epochs);
            steps[^1].EndsEpoch.ShouldBeTrue();
            steps[^1].EpochsDone.ShouldBe(c.Epochs);
            steps.Count(s => s.Epoch == 0).ShouldBe(schedule.StepsPerEpoch);
            steps.Select(s => s.Index).ShouldBe(Enumerable.Range(0, steps.Count));
            steps.Select(s => s.EpochsDone).ShouldBeInOrder();
        }, iter: 50);

    [Fact]
    public void Bins_change_with_seed_and_epoch()
    {
        var c = new Case([.. Enumerable.Range(0, 60).Select(i => 1 + i * 7 % Capacity)], 2, 2, 3, 2, true);
        string Order(Case of, int epoch) => string.Join(',', of.Schedule().Steps().Where(s => s.Epoch == epoch).SelectMany(Lines));
        Order(c, 0).ShouldBe(Order(c, 0));
        Order(c, 0).ShouldNotBe(Order(c, 1));
        Order(c, 0).ShouldNotBe(Order(c with { Seed = 4 }, 0));
    }

    [Fact]
    public void Packing_and_grouping_exclude_each_other() =>
        Should.Throw<ArgumentException>(() => new BatchSchedule(new Case([1], 1, 1, 0, 1, false).Rows, new BatchConfig(), 0, 1, null, true, groupByLength: true, packTo: 5));

    private static int[] Lines(BatchStep step) => [.. step.MicroBatches.SelectMany(m => m.Select(r => r.Origin.Line))];

    private static List<int[]> Bins(EpochOrder order) =>
        [.. Enumerable.Range(0, order.BinCount).Select(bin => order.Rows[order.StartOf(bin)..order.StartOf(bin + 1)])];

    private sealed record Case(int[] Lengths, int Size, int Accumulate, long Seed, int Epochs, bool Shuffle)
    {
        public ITokenRows Rows { get; } =
            TokenRows.Of([.. Lengths.Select((length, i) => new TokenRow(new int[length], new int[length], new RowOrigin("f", i)))]);

        public BatchSchedule Schedule(double weight = 1) => new(
            Rows, new BatchConfig { Size = Size, Accumulate = Accumulate }, Seed, Epochs, null, Shuffle, packTo: Capacity,
            mix: weight == 1 ? null : RowMix.Of(Rows, new Dictionary<string, double> { ["f"] = weight }, Seed));
    }
}
