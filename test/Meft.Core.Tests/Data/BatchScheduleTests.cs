using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Shouldly;

namespace Meft.Core.Tests.Data;

public class BatchScheduleTests
{
    private static readonly Gen<(int Rows, int Size, int Accumulate, long Seed, int Epochs, bool Shuffle, bool Group)> Case =
        Gen.Select(Gen.Int[1, 50], Gen.Int[1, 7], Gen.Int[1, 4], Gen.Long, Gen.Int[1, 3], Gen.Bool, Gen.Bool);

    private static TokenRow[] Rows(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new TokenRow(new int[2 + i * 7 % 5], new int[2 + i * 7 % 5], new RowOrigin("f", i)))];

    private static BatchSchedule Schedule((int Rows, int Size, int Accumulate, long Seed, int Epochs, bool Shuffle, bool Group) c) =>
        new(Rows(c.Rows), new BatchConfig { Size = c.Size, Accumulate = c.Accumulate }, c.Seed, c.Epochs, null, c.Shuffle, c.Group);

    private static int[] Lines(BatchStep step) => [.. step.MicroBatches.SelectMany(m => m.Select(r => r.Origin.Line))];

    [Fact]
    public void Every_epoch_takes_every_row_once() => Case.Sample(c =>
    {
        var steps = Schedule(c).Steps().ToList();
        steps.Count.ShouldBe(Schedule(c).TotalSteps);
        foreach (var epoch in steps.GroupBy(s => s.Epoch))
        {
            epoch.SelectMany(Lines).Order().ShouldBe(Enumerable.Range(0, c.Rows));
            epoch.Count(s => s.EndsEpoch).ShouldBe(1);
            epoch.Last().EpochsDone.ShouldBe(epoch.Key + 1);
        }
        steps.GroupBy(s => s.Epoch).Count().ShouldBe(c.Epochs);
    });

    [Fact]
    public void Grouped_by_length_a_step_takes_rows_of_like_length_in_an_order_that_changes()
    {
        var rows = Rows(60);
        var grouped = new BatchSchedule(rows, new BatchConfig { Size = 4 }, seed: 3, epochs: 2, maxSteps: null, shuffle: true, groupByLength: true);
        // Five lengths, twelve rows of each: a step of four holds one length.
        grouped.Steps().ShouldAllBe(step => step.MicroBatches[0].Select(r => r.Length).Distinct().Count() == 1);
        var epochs = grouped.Steps().Select(s => s.MicroBatches[0][0].Length).Chunk(15).ToList();
        epochs[0].ShouldNotBe([.. epochs[0].Order()]);
        epochs[0].ShouldNotBe(epochs[1]);
    }

    [Fact]
    public void Steps_are_full_but_for_the_last_of_an_epoch() => Case.Sample(c =>
    {
        foreach (var step in Schedule(c).Steps())
        {
            step.MicroBatches.Count.ShouldBeLessThanOrEqualTo(c.Accumulate);
            step.MicroBatches.SkipLast(1).ShouldAllBe(m => m.Count == c.Size);
            step.MicroBatches[^1].Count.ShouldBeInRange(1, c.Size);
            if (!step.EndsEpoch) Lines(step).Length.ShouldBe(c.Size * c.Accumulate);
        }
    });

    [Fact]
    public void A_resumed_run_takes_the_steps_of_the_first_one() => Case.Sample(c =>
    {
        var whole = Schedule(c).Steps().Select(Lines).ToList();
        for (var from = 0; from <= whole.Count; from++)
            Schedule(c).Steps(from).Select(s => string.Join(',', Lines(s))).ShouldBe(whole.Skip(from).Select(l => string.Join(',', l)));
    }, iter: 30);

    [Fact]
    public void Without_shuffling_rows_keep_their_order() => Case.Sample(c =>
    {
        var lines = Schedule(c with { Shuffle = false, Group = false }).Steps().SelectMany(Lines);
        lines.ShouldBe(Enumerable.Repeat(Enumerable.Range(0, c.Rows), c.Epochs).SelectMany(r => r));
    });

    [Fact]
    public void Seed_and_epoch_change_the_order()
    {
        int[] Order(long seed, int epoch) => SeededPermutation.Of(100, seed, epoch);
        Order(1, 0).ShouldBe(Order(1, 0));
        Order(1, 0).ShouldNotBe(Order(2, 0));
        Order(1, 0).ShouldNotBe(Order(1, 1));
        Order(1, 1).ShouldNotBe(Order(2, 0));
    }

    [Fact]
    public void The_order_is_the_same_on_every_machine_and_version() =>
        SeededPermutation.Of(10, seed: 0, epoch: 0).ShouldBe([1, 4, 3, 5, 6, 2, 9, 7, 8, 0]);

    [Fact]
    public void Every_place_is_about_as_likely_for_every_row()
    {
        var counts = new int[5, 5];
        for (var seed = 0; seed < 5000; seed++)
        {
            var order = SeededPermutation.Of(5, seed, 0);
            for (var place = 0; place < 5; place++) counts[place, order[place]]++;
        }
        counts.Cast<int>().ShouldAllBe(n => n > 850 && n < 1150);
    }

    [Fact]
    public void Micro_batches_of_a_shuffled_step_hold_rows_of_like_length()
    {
        var schedule = new BatchSchedule(Rows(40), new BatchConfig { Size = 4, Accumulate = 5 }, 3, 1, null, shuffle: true);
        foreach (var step in schedule.Steps()) step.MicroBatches.SelectMany(m => m.Select(r => r.Length)).ShouldBeInOrder();
    }

    [Fact]
    public void A_number_of_steps_goes_over_as_many_epochs_as_it_needs()
    {
        var schedule = new BatchSchedule(Rows(10), new BatchConfig { Size = 4 }, 0, null, 7, shuffle: true);
        (schedule.StepsPerEpoch, schedule.TotalSteps).ShouldBe((3, 7));
        schedule.Steps().Select(s => s.Epoch).ShouldBe([0, 0, 0, 1, 1, 1, 2]);
        schedule.StepAt(6).EpochsDone.ShouldBe(2.4);
    }

    [Fact]
    public void More_steps_than_can_be_counted_are_refused() =>
        Should.Throw<InvalidInputException>(() => new BatchSchedule(Rows(10), new BatchConfig { Size = 1 }, 0, int.MaxValue, null, true)).Location.ShouldBe("epochs");

    [Fact]
    public void Epochs_and_steps_exclude_each_other()
    {
        Should.Throw<ArgumentException>(() => new BatchSchedule(Rows(1), new BatchConfig(), 0, 1, 1, true));
        Should.Throw<ArgumentException>(() => new BatchSchedule(Rows(1), new BatchConfig(), 0, null, null, true));
        Should.Throw<ArgumentOutOfRangeException>(() => new BatchSchedule([], new BatchConfig(), 0, 1, null, true));
    }
}
