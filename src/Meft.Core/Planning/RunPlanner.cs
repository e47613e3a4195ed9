using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>
/// Plans a run from its config and the model's sizes; pure but for what it is given. What the config leaves to <c>auto</c> is the fastest way that
/// fits; where none fits, the one that takes the least, and <see cref="PlanFit"/> says what to change.
/// </summary>
/// <param name="config">The run.</param>
/// <param name="model">The base's sizes.</param>
/// <param name="accelerator">Whether the device is not the CPU.</param>
/// <param name="bounds">What may be used.</param>
/// <param name="machine">The machine's speeds; null where they were not measured.</param>
/// <param name="quantized">What the base takes where it is quantised; null where it is not.</param>
public sealed class RunPlanner(
    RunConfig config, ModelConfig model, bool accelerator, MemoryBounds bounds, Calibration? machine, QuantizedBase? quantized = null)
{
    /// <summary>More than anyone keeps; it keeps products within their types.</summary>
    private const int MostCheckpoints = 1000;

    private readonly int _width = BaseWeights.WidthOf(config.DType, model);

    /// <summary>The config that is planned.</summary>
    public RunConfig Config => config;

    /// <summary>The model that is planned for.</summary>
    public ModelConfig Model => model;

    /// <summary>The plan for these micro-batches.</summary>
    /// <exception cref="Errors.InvalidInputException">The method does not fit the model.</exception>
    public RunPlan Plan(Workload work) => Plan(config, work);

    /// <summary>The plan of another config on the same model and machine: what would be if a setting were changed.</summary>
    internal RunPlan Plan(RunConfig changed, Workload work)
    {
        var trained = TrainedParameters.Of(changed.Method, model);
        var held = changed.Quantize == config.Quantize ? quantized : QuantizedBase.WhenLoaded(changed.Quantize, model);
        var memory = new MemoryModel(model, _width, trained, work, accelerator, kernels: !accelerator && BaseWeights.TypeOf(config.DType, model) != BaseDType.Fp16, held);
        var sizes = trained is { Kind: MethodKind.Meft, Sparse: { } spec }
            ? new LinkSizes(spec.HiddenSize, _width, spec.Rank, spec.Experts, spec.Probe, spec.TopK)
            : null;
        var tokens = (long)Math.Ceiling(work.MeanTokens);
        var cost = machine is null ? null : new CostModel(model, _width, trained, work, machine, held);
        var cheaper = sizes is null ? ExecutionKind.Activations : Cheaper(sizes, tokens, cost);
        var ways = ExecutionPlan.Candidates(changed, accelerator, cheaper)
            .Select(way => (Way: way, Memory: memory.Of(way, Checkpoints(changed, work)))).ToList();
        var (chosen, fitted) = ways.Find(w => Fits(w.Memory)) is { Way: not null } fitting ? fitting : ways[^1];
        var copy = CheckpointCopy(changed, work, fitted, trained.StateBytes);
        var planned = copy == 0 ? fitted : Beside(fitted, copy);
        return new RunPlan
        {
            CheckpointCopyBytes = copy,
            Method = changed.Method.Kind,
            Accelerator = accelerator,
            BaseParameters = model.ParameterCount,
            TrainedParameters = trained.Count,
            Workload = work,
            Execution = chosen,
            Memory = planned,
            Bounds = bounds,
            ExpectedUnion = sizes is null ? null : ExpectedUnion.Rows(sizes.Rank, sizes.Experts, sizes.Probe, sizes.TopK, tokens),
            UnionBound = sizes is null ? null : ExpectedUnion.Bound(sizes.Rank, sizes.Experts, sizes.Probe, sizes.TopK, tokens),
            Link = sizes is null ? [] : Link(sizes with { Recompute = chosen.Recompute }, tokens, (long)trained.Layers.Count * work.MicroBatches),
            StreamedBytes = chosen.Base == BasePlacement.Streamed
                ? work.MicroBatches * BaseWeights.Of(model, _width, held).StreamedBytes(trained.FirstLayer)
                : 0,
            StreamHiddenFromTokens = chosen.Base == BasePlacement.Streamed && machine?.ToDeviceBytesPerSecond is { } down
                ? (long)Math.Ceiling(BytesOfWeight(held) * machine.Matmul(_width).LargeFlops / (2 * down)) // so many bytes and 2·T operations a weight
                : null,
            BreakEvenTokens = sizes is null ? null : LinkTraffic.BreakEvenTokens(sizes),
            Step = cost?.Of(chosen),
        };
    }

    /// <summary>Bytes of a weight of a layer.</summary>
    private double BytesOfWeight(QuantizedBase? held) => held is null ? _width : (double)held.LayerBytes(model, _width) / BaseWeights.LayerParameters(model);

    /// <summary>The execution whose step takes less time; where this machine was not measured, the one that moves fewer bytes.</summary>
    private static ExecutionKind Cheaper(LinkSizes sizes, long tokens, CostModel? cost)
    {
        double Cost(ExecutionKind execution) => cost?.Of(ExecutionPlan.Plain with { Execution = execution }).Seconds
            ?? (execution == ExecutionKind.Rows ? LinkTraffic.OfRows(sizes, tokens) : LinkTraffic.OfActivations(sizes, tokens)).Total;
        return Cost(ExecutionKind.Rows) < Cost(ExecutionKind.Activations) ? ExecutionKind.Rows : ExecutionKind.Activations;
    }

    /// <summary>Whether memory of every tier stays within the bounds.</summary>
    internal bool Fits(MemoryPlan memory) => bounds.Allow(memory);

    private static LinkPlan[] Link(LinkSizes sizes, long tokens, long times)
    {
        var (activations, rows) = (LinkTraffic.OfActivations(sizes, tokens), LinkTraffic.OfRows(sizes, tokens));
        return
        [
            new(ExecutionKind.Activations, times * activations.ToHost, times * activations.ToDevice),
            new(ExecutionKind.Rows, times * rows.ToHost, times * rows.ToDevice),
        ];
    }

    /// <summary>
    /// Full checkpoints that lie on disk at once: those that are kept, but no more than there will be, the best one where there is a measure of it, and the
    /// one being written. Where some are incremental, the oldest kept and the best may each need a full one beside, and take half of one themselves.
    /// </summary>
    private static double Checkpoints(RunConfig config, Workload work)
    {
        var every = config.Checkpoint.Every;
        var written = every == 0 ? 1 : work.Steps is { } steps ? Math.Min(1L + steps / every, MostCheckpoints) : MostCheckpoints;
        var kept = (int)Math.Clamp(config.Checkpoint.Keep, 1, written);
        var best = config.Data.Validation.Count > 0 ? 1 : 0;
        var extra = IsIncremental(config) && kept < written ? CheckpointConfig.MostIncrementShare * (1 + best) : 0;
        return kept + best + 1 + extra;
    }

    private static bool IsIncremental(RunConfig config) =>
        config.Checkpoint.Incremental != IncrementalCheckpoints.Off && config.Method.Kind == MethodKind.Meft && config.Optimizer.Rows == OptimizerRows.Touched;

    /// <summary>
    /// Bytes that a copy of a checkpoint's content may take in host memory: a full one's where that fits, an incremental one's where only that does; 0
    /// where none is written before the last step.
    /// </summary>
    private long CheckpointCopy(RunConfig config, Workload work, MemoryPlan memory, long stateBytes)
    {
        var every = config.Checkpoint.Every;
        if (every == 0 || (work.Steps is { } steps && every >= steps && config.Data.Validation.Count == 0)) return 0;
        var increment = IsIncremental(config) ? (long)(CheckpointConfig.MostIncrementShare * stateBytes) : 0;
        return Fits(memory) ? new[] { stateBytes, increment, 0 }.First(bytes => bytes == 0 || Fits(Beside(memory, bytes))) : 0;
    }

    private static MemoryPlan Beside(MemoryPlan memory, long checkpointCopy) =>
        memory with { Items = [.. memory.Items, new MemoryItem(MemoryTier.Host, "checkpoint copy", checkpointCopy, 0)] };
}
