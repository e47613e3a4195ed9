using System.Text.RegularExpressions;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Core.Planning;
using Shouldly;
using static Meft.Core.Tests.Planning.PlanSamples;

namespace Meft.Core.Tests.Planning;

public sealed partial class PlanFitTests
{
    [Fact]
    public void A_plan_that_fits_is_no_error() => PlanFit.Problem(Planner(Config()), Planner(Config()).Plan(Work())).ShouldBeNull();

    [Fact]
    public void A_refusal_says_how_much_of_what_and_a_rank_that_really_fits()
    {
        var planner = Planner(Config(), HostLimit(24 * GiB));
        var error = Should.Throw<InvalidInputException>(() => PlanFit.Require(planner, planner.Plan(Work())));
        error.Message.ShouldContain("24 GiB");
        error.Message.ShouldContain("budget.host");
        error.Message.ShouldContain("moments");
        var rank = int.Parse(RankPattern().Match(error.Message).Groups[1].Value);
        bool Fits(int r) => PlanFit.Problem(
            Planner(WithRank(r), HostLimit(24 * GiB)), Planner(WithRank(r), HostLimit(24 * GiB)).Plan(Work())) is null;
        Fits(rank).ShouldBeTrue();
        Fits(rank + 256).ShouldBeFalse();
    }

    [Fact]
    public void A_fixed_setting_that_takes_too_much_is_named_with_the_one_that_takes_less()
    {
        var config = Config() with { Base = BasePlacement.Resident, Recompute = RecomputeMode.Off };
        var bounds = new MemoryBounds(8 * GiB, "budget.device", null, null, null);
        var planner = Planner(config, bounds, accelerator: true);
        var error = PlanFit.Problem(planner, planner.Plan(Work(256))).ShouldNotBeNull();
        error.Message.ShouldContain("budget.device");
        error.Message.ShouldContain("base: streamed");
        error.Message.ShouldNotContain("recompute: on"); // not enough by itself
    }

    [Fact]
    public void A_budget_is_held_against_what_the_ledger_will_count_a_card_against_what_it_holds()
    {
        // Gradients of all weights take the place of what the backward frees, and the ledger counts both.
        var config = Config(new MethodConfig { Kind = MethodKind.Full, Layers = new LayerSelection.All() }) with { Recompute = RecomputeMode.Off };
        var memory = Planner(config, accelerator: true).Plan(Work(4096)).Memory;
        memory.CountedDeviceBytes.ShouldBeGreaterThan(memory.DeviceBytes);
        var between = (memory.CountedDeviceBytes + memory.DeviceBytes) / 2;

        var budgeted = Planner(config, new MemoryBounds(between, "budget.device", null, null, null), accelerator: true);
        budgeted.Fits(budgeted.Plan(Work(4096)).Memory).ShouldBeFalse();
        PlanFit.Problem(budgeted, budgeted.Plan(Work(4096))).ShouldNotBeNull().Message.ShouldContain("budget.device");

        var card = Planner(config, new MemoryBounds(between, "the device's memory", null, null, null), accelerator: true);
        PlanFit.Problem(card, card.Plan(Work(4096))).ShouldBeNull();
    }

    [Theory]
    [InlineData(10, "quantize: int8")]
    [InlineData(6, "quantize: nf4")]
    public void The_mildest_blocks_that_make_the_base_fit_are_advised(int gibibytes, string advice)
    {
        var config = Config() with { Base = BasePlacement.Resident };
        var planner = Planner(config, new MemoryBounds(gibibytes * GiB, "budget.device", null, null, null), accelerator: true);
        var message = PlanFit.Problem(planner, planner.Plan(Work())).ShouldNotBeNull().Message;
        message.ShouldContain(advice);
        (message.Split("quantize:").Length - 1).ShouldBe(1);
        var full = Config(new MethodConfig { Kind = MethodKind.Full, Layers = new LayerSelection.All() });
        var whole = Planner(full, new MemoryBounds(gibibytes * GiB, "budget.device", null, null, null), accelerator: true);
        PlanFit.Problem(whole, whole.Plan(Work())).ShouldNotBeNull().Message.ShouldNotContain("quantize"); // what is trained is not quantised
    }

    [Fact]
    public void Fewer_layers_are_advised_spread_as_those_that_were_asked_for()
    {
        RunPlanner Of(LayerSelection layers) => Planner(Config(Config().Method with { Layers = layers }), HostLimit(19 * GiB));
        string Advice(LayerSelection layers) => PlanFit.Problem(Of(layers), Of(layers).Plan(Work())).ShouldNotBeNull().Message;
        bool Fits(LayerSelection layers) => Of(layers).Fits(Of(layers).Plan(Work()).Memory);

        var step = int.Parse(StepPattern().Match(Advice(new LayerSelection.Every(3))).Groups[1].Value);
        Fits(new LayerSelection.Every(step)).ShouldBeTrue();
        Fits(new LayerSelection.Every(step - 1)).ShouldBeFalse();
        Advice(new LayerSelection.All()).ShouldContain("method.layers: last:");
    }

    [Fact]
    public void Smaller_batches_are_advised_where_tokens_are_the_cause()
    {
        var config = Config() with { Recompute = RecomputeMode.Off, Base = BasePlacement.Resident };
        var planner = Planner(config, new MemoryBounds(20 * GiB, "budget.device", null, null, null), accelerator: true);
        var error = PlanFit.Problem(planner, planner.Plan(Work(16 * 512))).ShouldNotBeNull();
        var size = int.Parse(SizePattern().Match(error.Message).Groups[1].Value);
        size.ShouldBeInRange(1, 15);
        planner.Fits(planner.Plan(Work(size * 512)).Memory).ShouldBeTrue();
        planner.Fits(planner.Plan(Work((size + 1) * 512)).Memory).ShouldBeFalse();
    }

    [Fact]
    public void Where_no_setting_is_enough_that_is_said()
    {
        var planner = Planner(Config(), HostLimit(1 << 20));
        PlanFit.Problem(planner, planner.Plan(Work())).ShouldNotBeNull().Message.ShouldContain("no single setting");
    }

    [Fact]
    public void A_disk_too_small_for_the_checkpoints_is_found_before_the_first_step()
    {
        var planner = Planner(Config() with { Checkpoint = new CheckpointConfig { Every = 1, Keep = 4 } }, new MemoryBounds(null, null, null, null, 60 * GiB));
        var error = PlanFit.Problem(planner, planner.Plan(Work())).ShouldNotBeNull();
        error.Message.ShouldContain("/nowhere/out");
        error.Message.ShouldContain("checkpoint.keep: 1");
    }

    [Fact]
    public void The_least_limit_holds_and_is_named()
    {
        var machine = new MemoryLimits(64 * GiB, null, 16 * GiB, 2);
        MemoryBounds Of(long? budget, MemoryLimits limits) => MemoryBounds.Of(new BudgetConfig { HostBytes = budget }, limits, null);
        Of(null, machine).ShouldBe(new MemoryBounds(null, null, 16 * GiB, "the control group's limit", null));
        Of(null, machine with { ControlGroupBytes = 128 * GiB }).ShouldBe(new MemoryBounds(null, null, 64 * GiB, "the machine's memory", null));
        Of(8 * GiB, machine).ShouldBe(new MemoryBounds(null, null, 8 * GiB, "budget.host", null));
        Of(32 * GiB, machine).ShouldBe(new MemoryBounds(null, null, 16 * GiB, "the control group's limit", null));
        Of(null, new MemoryLimits(null, null, null, null)).ShouldBe(MemoryBounds.None);

        (long?, string?) OfDevice(long? budget, long? memory)
        {
            var bounds = MemoryBounds.Of(new BudgetConfig { DeviceBytes = budget }, machine, null, memory);
            return (bounds.DeviceBytes, bounds.DeviceReason);
        }
        OfDevice(null, null).ShouldBe((null, null));
        OfDevice(null, 24 * GiB).ShouldBe((24 * GiB, "the device's memory"));
        OfDevice(8 * GiB, 24 * GiB).ShouldBe((8 * GiB, "budget.device"));
        OfDevice(32 * GiB, 24 * GiB).ShouldBe((24 * GiB, "the device's memory"));
        OfDevice(8 * GiB, null).ShouldBe((8 * GiB, "budget.device"));
    }

    private static MemoryBounds HostLimit(long bytes) => new(null, null, bytes, "budget.host", null);

    private static RunConfig WithRank(int rank) => Config(Config().Method with { RequestedRank = rank });

    [GeneratedRegex("method.layers: every:([0-9]+)")]
    private static partial Regex StepPattern();

    [GeneratedRegex(@"method\.rank: (\d+)")]
    private static partial Regex RankPattern();

    [GeneratedRegex(@"batch\.size: (\d+)")]
    private static partial Regex SizePattern();
}
