using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Planning;
using Shouldly;
using static Meft.Core.Tests.Planning.PlanSamples;

namespace Meft.Core.Tests.Planning;

public sealed class RunPlannerTests
{
    // performance.md, "at paper scale, on paper": D = 4096, L = 32, R = 6144.
    [Fact]
    public void At_paper_scale_the_adapter_is_in_host_memory_and_none_of_it_on_the_device()
    {
        var method = new MethodConfig { RequestedRank = 6144, Experts = 0, Probe = 0, TopK = 64, Execution = ExecutionKind.Activations, Layers = new LayerSelection.All() };
        var plan = Planner(Config(method), accelerator: true).Plan(Work());
        plan.TrainedParameters.ShouldBe(2L * 6144 * 4096 * 32);
        (plan.TrainedParameters / 1e9).ShouldBe(1.61, 0.005);
        (plan.BytesOf(MemoryTier.Host, "adapter weights", "moments") / 1e9).ShouldBe(19.3, 0.05);
        var small = Planner(Config(method with { RequestedRank = 256 }), accelerator: true).Plan(Work());
        plan.Memory.DeviceBytes.ShouldBe(small.Memory.DeviceBytes);
    }

    [Fact]
    public void At_paper_scale_activations_are_the_cheaper_thing_to_move()
    {
        var sizes = new LinkSizes(4096, 2, 6144, 0, 0, 64);
        const int layers = 32;
        // The rows of K and V at U/R = 0.6, which the paper sends in a forward pass, are 1.93 GB; V alone goes forward here, and both in the backward.
        (layers * LinkTraffic.OfRows(sizes, 1024, 6144 * 6 / 10, 0).ToDevice / 1e9).ShouldBe(1.5 * 1.93, 0.02);
        (layers * LinkTraffic.OfActivations(sizes, 1024).Total / 1e9).ShouldBe(1.07, 0.01);
    }

    [Fact]
    public void A_model_of_seven_billion_takes_what_its_config_says()
    {
        var plan = Planner(Config(), accelerator: true).Plan(Work());
        plan.BaseParameters.ShouldBe(6_738_415_616);
        plan.BytesOf(MemoryTier.Device, "base weights").ShouldBe(2 * 6_738_415_616);
        plan.BytesOf(MemoryTier.Device, "hidden states").ShouldBe(33L * 1024 * 4096 * 2);
        var streamed = Planner(Config() with { Base = BasePlacement.Streamed }, accelerator: true).Plan(Work());
        var layer = (6_738_415_616 - 2L * 32000 * 4096 - 4096) / 32;
        streamed.BytesOf(MemoryTier.Device, "base weights").ShouldBe(2 * (2 * layer + 2L * 32000 * 4096 + 4096));
        streamed.BytesOf(MemoryTier.Pinned, "base weights").ShouldBe(2 * 32 * layer);
        // A large micro-batch computes longer than the layers take to arrive; a small one waits for them.
        var recomputed = Planner(Config() with { Recompute = RecomputeMode.On }, accelerator: true).Plan(Work());
        streamed.Step.ShouldNotBeNull().Seconds.ShouldBe(recomputed.Step.ShouldNotBeNull().Seconds);
        streamed.StreamHiddenFromTokens.ShouldNotBeNull().ShouldBeInRange(5, 1023);
        plan.StreamHiddenFromTokens.ShouldBeNull();
        plan.StreamedBytes.ShouldBe(0);
        streamed.StreamedBytes.ShouldBe((30 + 30) * 2 * layer);
        double Seconds(BasePlacement placement) => Planner(Config() with { Base = placement }, accelerator: true).Plan(Work(4)).Step!.Seconds;
        Seconds(BasePlacement.Streamed).ShouldBeGreaterThan(Seconds(BasePlacement.Resident));
    }

    [Fact]
    public void On_the_CPU_auto_is_the_plain_way() =>
        Planner(Config()).Plan(Work()).Execution.ShouldBe(ExecutionPlan.Plain);

    [Fact]
    public void What_the_config_says_is_not_decided_anew()
    {
        var config = Config() with { Recompute = RecomputeMode.On, Base = BasePlacement.Streamed };
        config = config with { Method = config.Method with { Execution = ExecutionKind.Rows } };
        Planner(config).Plan(Work()).Execution.ShouldBe(new ExecutionPlan(ExecutionKind.Rows, BasePlacement.Streamed, Recompute: true));
    }

    [Fact]
    public void Auto_saves_no_more_than_the_budget_needs_recompute_before_streaming()
    {
        var plain = Planner(Config(), accelerator: true).Plan(Work());
        ExecutionPlan With(long deviceBytes) =>
            Planner(Config(), new MemoryBounds(deviceBytes, "budget.device", null, null, null), accelerator: true).Plan(Work()).Execution;
        With(plain.Memory.DeviceBytes).ShouldBe(ExecutionPlan.Plain);
        With(plain.Memory.DeviceBytes - 1).ShouldBe(ExecutionPlan.Plain with { Recompute = true });
        With(4 * GiB).Base.ShouldBe(BasePlacement.Streamed);
    }

    [Fact]
    public void On_the_CPU_a_small_memory_makes_auto_recompute()
    {
        var plain = Planner(Config()).Plan(Work());
        var bounds = new MemoryBounds(null, null, plain.Memory.ResidentBytes - 1, "the control group's limit", null);
        var plan = Planner(Config(), bounds).Plan(Work());
        plan.Execution.ShouldBe(ExecutionPlan.Plain with { Recompute = true });
        plan.Memory.ResidentBytes.ShouldBeLessThan(plain.Memory.ResidentBytes);
    }

    [Fact]
    public void On_the_CPU_a_device_budget_is_kept_by_streaming_where_recompute_is_not_enough()
    {
        var config = Config() with { Budget = new BudgetConfig { DeviceBytes = 6 * GiB } };
        Planner(config, new MemoryBounds(6 * GiB, "budget.device", null, null, null)).Plan(Work()).Execution.Base.ShouldBe(BasePlacement.Streamed);
        var full = config with { Method = new MethodConfig { Kind = MethodKind.Full, Experts = 0, Probe = 0, Layers = new LayerSelection.All() } };
        Planner(full, new MemoryBounds(6 * GiB, "budget.device", null, null, null)).Plan(Work()).Execution.Base.ShouldBe(BasePlacement.Resident);
    }

    [Fact]
    public void A_card_that_was_not_measured_takes_rows_where_they_are_cheaper_to_move()
    {
        var tokens = LinkTraffic.BreakEvenTokens(new LinkSizes(4096, 2, 6144, 256, 8, 64)).ShouldNotBeNull();
        ExecutionKind At(long t) => new RunPlanner(Config(), Model, accelerator: true, MemoryBounds.None, machine: null).Plan(Work(t)).Execution.Execution;
        At(tokens).ShouldBe(ExecutionKind.Rows);
        At(tokens - 1).ShouldBe(ExecutionKind.Activations);
    }

    [Fact]
    public void A_card_that_was_measured_takes_what_costs_less_time()
    {
        // A card no faster than the host gains nothing from the dense products that stand for the sparse ones; a fast one does.
        ExecutionKind With(double cardFlops, double link)
        {
            var machine = PlanSamples.Machine(link) with { HalfMatmul = new MatmulRate(cardFlops, cardFlops) };
            return new RunPlanner(Config(), Model, accelerator: true, MemoryBounds.None, machine).Plan(Work()).Execution.Execution;
        }
        With(1e11, 2.5e10).ShouldBe(ExecutionKind.Activations);
        With(1e14, 2.5e10).ShouldBe(ExecutionKind.Rows);
        With(1e14, 1e8).ShouldBe(ExecutionKind.Activations);
    }

    [Theory]
    [InlineData(MethodKind.Meft)]
    [InlineData(MethodKind.Parallel)]
    [InlineData(MethodKind.Lora)]
    [InlineData(MethodKind.Full)]
    public void Every_method_has_a_plan_and_more_tokens_take_more(MethodKind kind)
    {
        var config = Config(new MethodConfig { Kind = kind, RequestedRank = 16, Experts = kind == MethodKind.Meft ? 4 : 0, Probe = kind == MethodKind.Meft ? 2 : 0, Layers = new LayerSelection.All() });
        var plan = Planner(config).Plan(Work());
        var longer = Planner(config).Plan(Work(2048));
        longer.Memory.DeviceBytes.ShouldBeGreaterThan(plan.Memory.DeviceBytes);
        longer.Step!.Seconds.ShouldBeGreaterThan(plan.Step!.Seconds);
        plan.Memory.Items.ShouldAllBe(i => i.Bytes > 0);
        plan.BytesOf(MemoryTier.Disk, "checkpoints").ShouldBe(2 * 12 * plan.TrainedParameters);
        plan.BytesOf(MemoryTier.Host, "adapter weights", "masters", "moments").ShouldBe(12 * plan.TrainedParameters);
        plan.Link.Count.ShouldBe(kind == MethodKind.Meft ? 2 : 0);
    }

    [Fact]
    public void The_largest_sizes_a_config_takes_are_refused_and_not_overflowed()
    {
        var config = Config(new MethodConfig { RequestedRank = 1 << 28, Experts = 1 << 16, Probe = 8, Gate = GateKind.Softmax, Layers = new LayerSelection.All() }) with
        {
            Batch = new BatchConfig { Size = int.MaxValue, Accumulate = int.MaxValue },
            Checkpoint = new CheckpointConfig { Every = 1, Keep = int.MaxValue },
            MaxSteps = int.MaxValue,
        };
        var planner = Planner(config, new MemoryBounds(null, null, 1L << 50, "the machine's memory", 1L << 50));
        var plan = planner.Plan(Workload.Assumed(config, Model, "nothing is known"));
        plan.Memory.Items.ShouldAllBe(i => i.Bytes > 0);
        plan.Memory.ResidentBytes.ShouldBeGreaterThan(1L << 50);
        PlanFit.Problem(planner, plan).ShouldNotBeNull();
    }

    [Fact]
    public void Checkpoints_that_will_never_be_written_take_no_room()
    {
        long Checkpoints(int every, int keep) => Planner(Config() with { Checkpoint = new CheckpointConfig { Every = every, Keep = keep } })
            .Plan(Work()).BytesOf(MemoryTier.Disk, "checkpoints"); // 10 steps
        Checkpoints(every: 0, keep: 5).ShouldBe(Checkpoints(every: 200, keep: 1));
        Checkpoints(every: 5, keep: 5).ShouldBe(Checkpoints(every: 0, keep: 1) * 4 / 2);
    }

    [Fact]
    public void Lora_counts_the_maps_it_is_beside()
    {
        var method = new MethodConfig { Kind = MethodKind.Lora, RequestedRank = 16, Experts = 0, Probe = 0, Layers = new LayerSelection.Last(3) };
        Planner(Config(method)).Plan(Work()).TrainedParameters.ShouldBe(3 * 2 * 16 * (4096 + 4096));
    }

    [Fact]
    public void Row_gradients_hold_the_union_of_a_steps_micro_batches()
    {
        var one = Planner(Config()).Plan(Work());
        var four = Planner(Config()).Plan(Work(microBatches: 4));
        four.BytesOf(MemoryTier.Host, "row gradients").ShouldBeGreaterThan(one.BytesOf(MemoryTier.Host, "row gradients"));
        four.Memory.DeviceBytes.ShouldBe(one.Memory.DeviceBytes);
        one.BytesOf(MemoryTier.Host, "row gradients").ShouldBe(32 * 2 * 4 * 4096 * one.ExpectedUnion!.Value);
    }

    [Fact]
    public void Gradients_take_the_place_of_what_the_backward_frees_unless_they_wait_for_more_micro_batches()
    {
        var config = Config(new MethodConfig { Kind = MethodKind.Full, Experts = 0, Probe = 0, Layers = new LayerSelection.All() });
        const long gradients = 2 * 6_738_415_616;
        var one = Planner(config).Plan(Work());
        var freed = one.BytesOf(MemoryTier.Device, "kept for the backward");
        one.BytesOf(MemoryTier.Device, "trained tensors").ShouldBe(gradients - freed);
        Planner(config).Plan(Work(microBatches: 2)).BytesOf(MemoryTier.Device, "trained tensors").ShouldBe(gradients);
    }

    [Fact]
    public void Layers_below_the_first_adapted_one_keep_nothing()
    {
        RunPlan Last(int count) => Planner(Config(Config().Method with { Layers = new LayerSelection.Last(count) })).Plan(Work());
        var perLayer = 1024 * KeptForBackward.BytesPerToken(Model, 2, trained: false, onHost: true);
        (Last(3).BytesOf(MemoryTier.Device, "kept for the backward") - Last(2).BytesOf(MemoryTier.Device, "kept for the backward")).ShouldBe(perLayer);
    }

    [Fact]
    public void A_soft_cap_keeps_its_tangents_beside_the_logits()
    {
        var lora = Config(new MethodConfig { Kind = MethodKind.Lora, RequestedRank = 8, Layers = new LayerSelection.All() });
        long Logits(ModelConfig model, bool accelerator) =>
            Planner(lora, accelerator: accelerator, model: model).Plan(Work(tokens: 64)).BytesOf(MemoryTier.Device, "logits");
        var capped = Model with { SoftCaps = new SoftCaps { Logits = 30 } };
        foreach (var accelerator in new[] { false, true })
        {
            Logits(Model, accelerator).ShouldBeGreaterThan(0);
            (Logits(capped, accelerator) - Logits(Model, accelerator)).ShouldBe(2 * 32L * Model.VocabularySize);
        }
    }

    [Fact]
    public void Own_kernels_keep_their_inputs_and_nothing_else()
    {
        long Kept(ModelConfig model, int width) => KeptForBackward.BytesPerToken(model, width, trained: false, onHost: true);
        // One norm's input, queries, keys and values, gate and up.
        Kept(Model, 4).ShouldBe(4096 * 4 + 3 * 4096 * 4 + 2 * 11008 * 4);
        Kept(Model, 2).ShouldBe(Kept(Model, 4) / 2);
        Kept(Model with { QueryKeyNorm = true }, 2).ShouldBe(Kept(Model, 2) + 2 * 4096 * 2);
        Kept(Model with { Activation = Activation.GeluTanh }, 2).ShouldBe(Kept(Model, 2));
        Kept(Model with { Activation = Activation.Gelu }, 2).ShouldBe(Kept(Model, 2) + 11008 * 2);
        Kept(Model with { NormPlacement = NormPlacement.Around }, 2).ShouldBe(Kept(Model, 2) + 2 * 4096 * 2);
        Kept(Model with { NormPlacement = NormPlacement.After }, 2).ShouldBe(Kept(Model, 2) + 4096 * 2);
        // By torch's operations norms keep a float32 copy and the scale, the activation its input and its result.
        KeptForBackward.BytesPerToken(Model, 2, trained: false, onHost: false).ShouldBeGreaterThan(Kept(Model, 2) + 2 * 4096 * 4);
    }
}
