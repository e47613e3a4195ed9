using Meft.Core.Configuration;

namespace Meft.Core.Planning;

/// <summary>Bytes over the link of one execution.</summary>
/// <param name="Execution">What travels.</param>
/// <param name="ToHostBytes">To the host, a step.</param>
/// <param name="ToDeviceBytes">To the device, a step.</param>
public sealed record LinkPlan(ExecutionKind Execution, long ToHostBytes, long ToDeviceBytes)
{
    /// <summary>Both directions.</summary>
    public long TotalBytes => ToHostBytes + ToDeviceBytes;
}

/// <summary>What a run will take: memory by tier, traffic, operations, seconds; and how it will be carried out.</summary>
public sealed record RunPlan
{
    /// <summary>The method.</summary>
    public required MethodKind Method { get; init; }

    /// <summary>Whether the base computes on another device than the CPU.</summary>
    public required bool Accelerator { get; init; }

    /// <summary>Parameters of the base.</summary>
    public required long BaseParameters { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long TrainedParameters { get; init; }

    /// <summary>The micro-batches.</summary>
    public required Workload Workload { get; init; }

    /// <summary>How the run is carried out.</summary>
    public required ExecutionPlan Execution { get; init; }

    /// <summary>Bytes of host memory that the content of a checkpoint may take, to be written beside the next steps; 0: training waits for each.</summary>
    public long CheckpointCopyBytes { get; init; }

    /// <summary>Memory at its peak.</summary>
    public required MemoryPlan Memory { get; init; }

    /// <summary>What may be used.</summary>
    public required MemoryBounds Bounds { get; init; }

    /// <summary>U expected in a layer and a mean micro-batch; null for methods without routing.</summary>
    public long? ExpectedUnion { get; init; }

    /// <summary>What U cannot exceed; null for methods without routing.</summary>
    public long? UnionBound { get; init; }

    /// <summary>The link's bytes of both executions, a step of mean micro-batches; empty for methods where nothing travels.</summary>
    public IReadOnlyList<LinkPlan> Link { get; init; } = [];

    /// <summary>Bytes of a streamed base's layers to the device, a step; 0 where the base is resident.</summary>
    public long StreamedBytes { get; init; }

    /// <summary>
    /// The tokens of a micro-batch from which a streamed layer's forward computes longer than the next layer takes to arrive, so that streaming costs
    /// next to nothing; null where the base is resident or the link was not measured.
    /// </summary>
    public long? StreamHiddenFromTokens { get; init; }

    /// <summary>The least tokens of a micro-batch at which rows that travel cost less; null where they never do.</summary>
    public long? BreakEvenTokens { get; init; }

    /// <summary>The cost of a step; null where the machine was not measured.</summary>
    public StepCost? Step { get; init; }

    /// <summary>Predicted seconds of all steps; null where their number or the machine's speed is not known.</summary>
    public double? Seconds => Step is { } step && Workload.Steps is { } steps ? step.Seconds * steps : null;
}
