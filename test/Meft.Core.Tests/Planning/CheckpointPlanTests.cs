using Meft.Core.Configuration;
using Meft.Core.Planning;
using Shouldly;
using static Meft.Core.Tests.Planning.PlanSamples;

namespace Meft.Core.Tests.Planning;

public sealed class CheckpointPlanTests
{
    private const int Steps = 100;

    // Kept ones, the best where validation rows measure it, the one being written; beside the oldest kept and the best half a full one each where some are
    // incremental and older full ones may have gone.
    [Theory]
    [InlineData(0, 2, false, "auto", 2)] // one at the end
    [InlineData(1, 2, false, "off", 3)]
    [InlineData(1, 2, false, "auto", 3.5)]
    [InlineData(1, 2, true, "off", 4)]
    [InlineData(1, 2, true, "auto", 5)]
    [InlineData(50, 7, false, "auto", 4)] // no more than three will ever be written
    public void The_disk_holds_what_is_kept_and_what_is_being_written(int every, int keep, bool validated, string incremental, double full)
    {
        var plan = Plan(Of(every, keep, validated, incremental == "off" ? IncrementalCheckpoints.Off : IncrementalCheckpoints.Auto));
        plan.BytesOf(MemoryTier.Disk, "checkpoints").ShouldBe((long)(full * State(plan)));
        plan.BytesOf(MemoryTier.Disk, "result").ShouldBe(plan.TrainedParameters * sizeof(float));
    }

    [Fact]
    public void A_copy_is_in_the_plan_where_checkpoints_are_written_before_the_end()
    {
        var plan = Plan(Of(every: 10));
        plan.CheckpointCopyBytes.ShouldBe(State(plan));
        plan.BytesOf(MemoryTier.Host, "checkpoint copy").ShouldBe(State(plan));
        foreach (var config in new[] { Of(every: 0), Of(every: Steps) })
        {
            var without = Plan(config);
            without.CheckpointCopyBytes.ShouldBe(0);
            without.Memory.Items.ShouldNotContain(i => i.Cause == "checkpoint copy");
            without.Memory.ResidentBytes.ShouldBe(plan.Memory.ResidentBytes - State(plan));
        }
        // The best one may be saved at any step.
        Plan(Of(every: Steps, validated: true)).CheckpointCopyBytes.ShouldBe(State(plan));
    }

    [Fact]
    public void Where_memory_has_no_room_for_a_full_copy_that_of_an_increment_is_tried_and_then_none()
    {
        var plain = Plan(Of(every: 0));
        long Copy(long room, IncrementalCheckpoints incremental = IncrementalCheckpoints.Auto)
        {
            var limit = plain.Memory.ResidentBytes + room;
            var plan = Plan(Of(every: 10, incremental: incremental), new MemoryBounds(null, null, limit, "budget.host", null));
            plan.Memory.ResidentBytes.ShouldBeLessThanOrEqualTo(limit);
            return plan.CheckpointCopyBytes;
        }
        var state = State(plain);
        Copy(state).ShouldBe(state);
        Copy(state - 1).ShouldBe(state / 2);
        Copy(state / 2).ShouldBe(state / 2);
        Copy(state / 2 - 1).ShouldBe(0);
        Copy(state - 1, IncrementalCheckpoints.Off).ShouldBe(0);
    }

    private static RunConfig Of(int every, int keep = 2, bool validated = false, IncrementalCheckpoints incremental = IncrementalCheckpoints.Auto) => Config() with
    {
        Data = new DataConfig { Train = ["rows.jsonl"], Validation = validated ? ["validation.jsonl"] : [] },
        Checkpoint = new CheckpointConfig { Every = every, Keep = keep, Incremental = incremental },
    };

    private static RunPlan Plan(RunConfig config, MemoryBounds? bounds = null) => Planner(config, bounds).Plan(Work() with { Steps = Steps });

    /// <summary>Float32 masters and two moments.</summary>
    private static long State(RunPlan plan) => 3 * sizeof(float) * plan.TrainedParameters;
}
