using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Shouldly;

namespace Meft.Core.Tests.Data;

public class LargestBatchTests
{
    [Fact]
    public void It_is_the_first_micro_batch_with_the_most_tokens_from_a_step_on()
    {
        int[] lengths = [2, 9, 3, 3, 9, 2, 4, 4, 1, 1, 5, 5];
        var schedule = Schedule(lengths, size: 2, accumulate: 1, shuffle: false, epochs: 1);
        Describe(LargestBatch.Of(schedule, 0)).ShouldBe((0, 0, 11));
        Describe(LargestBatch.Of(schedule, 1)).ShouldBe((2, 0, 11));
        Describe(LargestBatch.Of(schedule, 3)).ShouldBe((5, 0, 10));
        Should.Throw<ArgumentOutOfRangeException>(() => LargestBatch.Of(schedule, 6));
        Describe(LargestBatch.Of(Schedule(lengths, size: 2, accumulate: 3, shuffle: false, epochs: 1), 1)).ShouldBe((1, 2, 10));
    }

    [Fact]
    public void No_micro_batch_of_the_schedule_has_more() =>
        Gen.Select(Gen.Int[1, 40].Array[1, 30], Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[1, 3]).Sample((lengths, size, accumulate, epochs) =>
        {
            var schedule = Schedule(lengths, size, accumulate, shuffle: true, epochs);
            var largest = LargestBatch.Of(schedule, 0);
            var all = schedule.Steps().SelectMany(s => s.MicroBatches).Select(m => m.Sum(r => r.Length)).ToList();
            largest.Tokens.ShouldBe(all.Max());
            largest.Rows.Sum(r => r.Length).ShouldBe(all.Max());
            largest.Rows.ShouldBe(schedule.StepAt(largest.Step.Index).MicroBatches[largest.MicroBatch]);
        }, iter: 200, threads: 1);

    private static (int Step, int MicroBatch, long Tokens) Describe(LargestBatch batch) => (batch.Step.Index, batch.MicroBatch, batch.Tokens);

    private static BatchSchedule Schedule(int[] lengths, int size, int accumulate, bool shuffle, int epochs) => new(
        [.. lengths.Select((length, i) => new TokenRow(new int[length], new int[length], new RowOrigin("rows.jsonl", i + 1)))],
        new BatchConfig { Size = size, Accumulate = accumulate }, seed: 4, epochs, null, shuffle);
}
