namespace Meft.Core.Metrics;

/// <summary>A checkpoint as the lines of the steps beside it tell of it.</summary>
/// <param name="Step">The step whose state it holds.</param>
/// <param name="Kind"><c>full</c> or <c>incremental</c>.</param>
/// <param name="Bytes">Bytes of its state.</param>
/// <param name="HeldSeconds">Seconds that the loop waited for it: all of them where it was written in the loop, else those of the copy in memory.</param>
/// <param name="WriteSeconds">Seconds that writing took; null while it is being written.</param>
public sealed record CheckpointMetrics(int Step, string Kind, long Bytes, double HeldSeconds, double? WriteSeconds);

/// <summary>
/// One line of <c>metrics.jsonl</c>: what one optimizer step was and cost. The fields are named there as here, in lower case with
/// underscores. A number that is not finite is written as null.
/// </summary>
public sealed record StepMetrics
{
    /// <summary>The step, counted from 1: how many have been taken.</summary>
    public required int Step { get; init; }

    /// <summary>Passes over the rows so far, the current one as a share.</summary>
    public required double Epoch { get; init; }

    /// <summary>Mean loss over the step's trained tokens, in nats.</summary>
    public required double Loss { get; init; }

    /// <summary>The rate that the step used.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Global gradient norm before clipping.</summary>
    public required double GradNorm { get; init; }

    /// <summary>Real (unpadded) tokens of the step.</summary>
    public required long Tokens { get; init; }

    /// <summary>Tokens that the loss counted.</summary>
    public required long TrainedTokens { get; init; }

    /// <summary>Wall-clock seconds of the step.</summary>
    public required double Seconds { get; init; }

    /// <summary>Real tokens a second.</summary>
    public double TokensPerSecond => Seconds > 0 ? Tokens / Seconds : double.NaN;

    /// <summary>The most bytes held on the device during the step.</summary>
    public long DeviceBytesPeak { get; init; }

    /// <summary>What the device held at that peak, by cause.</summary>
    public IReadOnlyDictionary<string, long> DeviceBytesByCause { get; init; } = new Dictionary<string, long>();

    /// <summary>Bytes of the host store.</summary>
    public long HostBytes { get; init; }

    /// <summary>Bytes that went from host to device.</summary>
    public long HostToDeviceBytes { get; init; }

    /// <summary>Bytes that went from device to host.</summary>
    public long DeviceToHostBytes { get; init; }

    /// <summary>What crossed the link, both directions together, by cause.</summary>
    public IReadOnlyDictionary<string, long> LinkBytesByCause { get; init; } = new Dictionary<string, long>();

    /// <summary>Rows that were active, as a share of R, mean over layers; NaN where the method has no rows.</summary>
    public double ActiveRows { get; init; } = double.NaN;

    /// <summary>How often the step was computed: more than once only where gradients were too large for float16, and only then the line has the field.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>Validation loss measured after this step; NaN where it was not, and then the line has no such field.</summary>
    public double ValidationLoss { get; init; } = double.NaN;

    /// <summary>The checkpoint that was being written beside this step, or has been completed since the step before; null for none.</summary>
    public CheckpointMetrics? Checkpoint { get; init; }

    /// <summary>Seconds by phase: data, forward, backward, optimizer and so on.</summary>
    public IReadOnlyDictionary<string, double> Phases { get; init; } = new Dictionary<string, double>();
}
