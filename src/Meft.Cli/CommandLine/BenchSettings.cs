using Meft.Benchmarking;
using Meft.Core.Configuration;

namespace Meft.Cli.CommandLine;

/// <summary>The options of <c>meft bench</c> as values; null where a subject's own default counts.</summary>
internal sealed record BenchSettings
{
    public string? Model { get; init; }

    public BaseDType DType { get; init; }

    public IReadOnlyList<Quantization> Quantize { get; init; } = [Quantization.None];

    public string Device { get; init; } = "auto";

    public string? Rows { get; init; }

    public LayerSelection Layers { get; init; } = new LayerSelection.All();

    public int? Batch { get; init; }

    public IReadOnlyList<string>? Methods { get; init; }

    public IReadOnlyList<int>? Ranks { get; init; }

    public IReadOnlyList<BasePlacement> Base { get; init; } = [BasePlacement.Resident];

    public IReadOnlyList<ExecutionKind>? Executions { get; init; }

    public bool Recompute { get; init; }

    public bool Profile { get; init; }

    public int? PromptTokens { get; init; }

    public int? NewTokens { get; init; }

    public IReadOnlyList<int>? Tokens { get; init; }

    public int? HiddenSize { get; init; }

    public int? Megabytes { get; init; }

    public int? WarmUp { get; init; }

    public int? Repeats { get; init; }

    public bool Cold { get; init; }

    private int? StreamFloats => Megabytes * (1 << 20) / sizeof(float);

    /// <summary>For <see cref="KernelBenchmark"/>.</summary>
    public KernelBenchmarkOptions ToKernels()
    {
        var standard = new KernelBenchmarkOptions();
        return standard with
        {
            HiddenSize = HiddenSize ?? standard.HiddenSize,
            Tokens = Tokens ?? standard.Tokens,
            Ranks = Ranks ?? standard.Ranks,
            Rounds = Rounds(standard.Rounds),
            RoofStreamFloats = StreamFloats ?? standard.RoofStreamFloats,
        };
    }

    /// <summary>For <see cref="OptimizerBenchmark"/>.</summary>
    public OptimizerBenchmarkOptions ToOptimizer()
    {
        var standard = new OptimizerBenchmarkOptions();
        return standard with
        {
            HiddenSize = HiddenSize ?? standard.HiddenSize,
            Ranks = Ranks ?? standard.Ranks,
            Rounds = Rounds(standard.Rounds),
            TouchedFloats = StreamFloats ?? standard.TouchedFloats,
        };
    }

    /// <summary>For <see cref="StepBenchmark"/>.</summary>
    public StepBenchmarkOptions ToStep()
    {
        var standard = new StepBenchmarkOptions();
        return standard with
        {
            Layers = Layers,
            BatchSize = Batch ?? standard.BatchSize,
            Ranks = Ranks ?? standard.Ranks,
            Methods = Methods ?? standard.Methods,
            Rounds = Rounds(standard.Rounds),
            Executions = Executions ?? standard.Executions,
            Recompute = Recompute,
            Profile = Profile,
        };
    }

    /// <summary>For <see cref="GenerationBenchmark"/>.</summary>
    public GenerationBenchmarkOptions ToGeneration()
    {
        var standard = new GenerationBenchmarkOptions();
        return standard with
        {
            PromptTokens = PromptTokens ?? standard.PromptTokens,
            NewTokens = NewTokens ?? standard.NewTokens,
            BatchSize = Batch ?? standard.BatchSize,
            Rank = Ranks?[0] ?? standard.Rank,
            Layers = Layers,
            Rounds = Rounds(standard.Rounds),
        };
    }

    /// <summary>For <see cref="LoadBenchmark"/>.</summary>
    public LoadBenchmarkOptions ToLoad()
    {
        var standard = new LoadBenchmarkOptions();
        return standard with { Device = Device, DType = DType, Quantize = Quantize, Cold = Cold, Rounds = Rounds(standard.Rounds) };
    }

    private BenchmarkRounds Rounds(BenchmarkRounds standard) => new(WarmUp ?? standard.WarmUp, Repeats ?? standard.Repeats);
}
