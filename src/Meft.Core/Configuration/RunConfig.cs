namespace Meft.Core.Configuration;

/// <summary>When the run's state is saved (the config's <c>checkpoint</c>).</summary>
public sealed record CheckpointConfig
{
    /// <summary>The share of a full checkpoint's bytes that an incremental one takes at most.</summary>
    public const double MostIncrementShare = 0.5;

    /// <summary>Every so many steps; 0 is at the end only.</summary>
    public int Every { get; init; } = 200;

    /// <summary>How many of the newest checkpoints stay.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Whether those between two full ones hold only the rows that have changed since.</summary>
    public IncrementalCheckpoints Incremental { get; init; } = IncrementalCheckpoints.Auto;
}

/// <summary>Memory that a run may use (the config's <c>budget</c>); null is no limit.</summary>
public sealed record BudgetConfig
{
    /// <summary>Bytes on the device.</summary>
    public long? DeviceBytes { get; init; }

    /// <summary>Bytes in host memory.</summary>
    public long? HostBytes { get; init; }
}

/// <summary>
/// A fine-tuning run as its YAML file says it, every default filled in and every path made absolute. The keys are described in
/// <c>docs/config.md</c>, which <see cref="ConfigReference"/> writes.
/// </summary>
public sealed record RunConfig
{
    /// <summary>Full path of the base model: a Hugging Face folder or a .gguf file.</summary>
    public required string Model { get; init; }

    /// <summary>Full path of the run folder.</summary>
    public required string Output { get; init; }

    /// <summary>Seeds the start values, the row order and everything else that is drawn.</summary>
    public long Seed { get; init; }

    /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The frozen base's element type.</summary>
    public BaseDType DType { get; init; } = BaseDType.Auto;

    /// <summary>The frozen base's form in memory.</summary>
    public Quantization Quantize { get; init; } = Quantization.None;

    /// <summary>Where the frozen layers wait.</summary>
    public BasePlacement Base { get; init; } = BasePlacement.Auto;

    /// <summary>What is trained.</summary>
    public MethodConfig Method { get; init; } = new();

    /// <summary>The optimizer.</summary>
    public OptimizerConfig Optimizer { get; init; } = new();

    /// <summary>The learning rate's course.</summary>
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>The rows.</summary>
    public required DataConfig Data { get; init; }

    /// <summary>Rows a step.</summary>
    public BatchConfig Batch { get; init; } = new();

    /// <summary>Passes over the rows; null where <see cref="MaxSteps"/> is given.</summary>
    public int? Epochs { get; init; } = 1;

    /// <summary>Steps in all; null where <see cref="Epochs"/> is given.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>What is measured between steps, and whether the run stops by it.</summary>
    public EvaluateConfig Evaluate { get; init; } = new();

    /// <summary>When the run's state is saved.</summary>
    public CheckpointConfig Checkpoint { get; init; } = new();

    /// <summary>Memory that may be used.</summary>
    public BudgetConfig Budget { get; init; } = new();

    /// <summary>Whether activations are computed again in the backward pass.</summary>
    public RecomputeMode Recompute { get; init; } = RecomputeMode.Auto;

    /// <summary>Whether the largest micro-batch is tried before the first step.</summary>
    public WorstBatchCheck CheckWorstBatch { get; init; } = WorstBatchCheck.Auto;

    /// <summary>Reads a config file and applies overrides to it.</summary>
    /// <param name="path">The YAML file; relative paths in it, and in the overrides, are relative to its folder.</param>
    /// <param name="sets">Overrides <c>key=value</c>, the value being YAML; a later one wins.</param>
    /// <exception cref="ConfigException">All errors of the file and the overrides together.</exception>
    public static RunConfig Load(string path, IEnumerable<string> sets) => ConfigLoader.Load(path, sets, furtherRules: []);

    /// <summary>The same for a run that begins now: files and folders that it reads and that are not there are errors too.</summary>
    /// <param name="path">The YAML file; relative paths in it, and in the overrides, are relative to its folder.</param>
    /// <param name="sets">Overrides <c>key=value</c>, the value being YAML; a later one wins.</param>
    /// <exception cref="ConfigException">All errors of the file and the overrides together.</exception>
    public static RunConfig LoadToRun(string path, IEnumerable<string> sets) => ConfigLoader.Load(path, sets, ExistingPaths.Rules(withTrain: true));

    /// <summary>The config as YAML with every key that applies; loading it gives an equal config.</summary>
    public string ToYaml() => ConfigYaml.Write(this);
}
