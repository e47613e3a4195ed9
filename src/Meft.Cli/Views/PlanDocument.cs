using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Planning;

namespace Meft.Cli.Views;

/// <summary>A plan as <c>meft plan --json</c> writes it; bytes, tokens, seconds.</summary>
internal sealed record PlanDocument
{
    /// <summary>The base model.</summary>
    public required string Model { get; init; }

    /// <summary>The method.</summary>
    public required MethodKind Method { get; init; }

    /// <summary>Parameters of the base.</summary>
    public required long BaseParameters { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long TrainedParameters { get; init; }

    /// <summary>Whether the base computes on another device than the CPU.</summary>
    public required bool Accelerator { get; init; }

    /// <summary>How the run is carried out.</summary>
    public required ExecutionPlan Execution { get; init; }

    /// <summary>The micro-batches.</summary>
    public required Workload Workload { get; init; }

    /// <summary>Memory at its peak: the sums and every cause.</summary>
    public required MemoryPlan Memory { get; init; }

    /// <summary>What may be used.</summary>
    public required MemoryBounds Bounds { get; init; }

    /// <summary>U expected in a layer and a mean micro-batch.</summary>
    public long? ExpectedUnion { get; init; }

    /// <summary>What U cannot exceed.</summary>
    public long? UnionBound { get; init; }

    /// <summary>Bytes over the link, a step, of both executions.</summary>
    public required IReadOnlyList<LinkPlan> Link { get; init; }

    /// <summary>Bytes of a streamed base's layers to the device, a step.</summary>
    public required long StreamedBytes { get; init; }

    /// <summary>Tokens of a micro-batch from which streaming is hidden behind the arithmetic; null where that is not known.</summary>
    public required long? StreamHiddenFromTokens { get; init; }

    /// <summary>The least tokens of a micro-batch at which rows cost less to move.</summary>
    public long? BreakEvenTokens { get; init; }

    /// <summary>Operations and seconds of a step.</summary>
    public StepCost? Step { get; init; }

    /// <summary>Seconds of all steps.</summary>
    public double? Seconds { get; init; }

    /// <summary>Whether all stays within the bounds.</summary>
    public required bool Fits { get; init; }

    /// <summary>If not, why not and what to change.</summary>
    public string? Problem { get; init; }

    /// <summary>What was assumed.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }

    /// <summary>The document of a plan.</summary>
    public static PlanDocument Of(PlannedRun planned)
    {
        var plan = planned.Plan;
        var problem = PlanFit.Problem(planned.Planner, plan);
        return new PlanDocument
        {
            Model = planned.Source.Location.WeightsPath,
            Method = plan.Method,
            BaseParameters = plan.BaseParameters,
            TrainedParameters = plan.TrainedParameters,
            Accelerator = plan.Accelerator,
            Execution = plan.Execution,
            Workload = plan.Workload,
            Memory = plan.Memory,
            Bounds = plan.Bounds,
            ExpectedUnion = plan.ExpectedUnion,
            UnionBound = plan.UnionBound,
            Link = plan.Link,
            StreamedBytes = plan.StreamedBytes,
            StreamHiddenFromTokens = plan.StreamHiddenFromTokens,
            BreakEvenTokens = plan.BreakEvenTokens,
            Step = plan.Step,
            Seconds = plan.Seconds,
            Fits = problem is null,
            Problem = problem?.Message,
            Remarks = planned.Remarks,
        };
    }
}
