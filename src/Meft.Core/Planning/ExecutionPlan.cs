using Meft.Core.Configuration;

namespace Meft.Core.Planning;

/// <summary>What <c>auto</c> became: how a run is carried out. No field is <c>auto</c>.</summary>
/// <param name="Execution">What travels between host and device (method.md, section 5).</param>
/// <param name="Base">Where the frozen layers wait.</param>
/// <param name="Recompute">Whether layers are computed again in the backward pass.</param>
public sealed record ExecutionPlan(ExecutionKind Execution, BasePlacement Base, bool Recompute)
{
    /// <summary>How a run goes where nothing has to be saved: activations travel, the base is resident, nothing is computed twice.</summary>
    public static ExecutionPlan Plain { get; } = new(ExecutionKind.Activations, BasePlacement.Resident, Recompute: false);

    /// <summary>
    /// The ways that a config allows, the fastest first: what it says itself is fixed; of what it leaves to the plan, recompute comes before a streamed
    /// base, for it costs less.
    /// </summary>
    /// <param name="config">The config.</param>
    /// <param name="accelerator">
    /// Whether the device is not the CPU: on the CPU nothing travels, and a streamed base saves nothing unless <c>budget.device</c> asks for it.
    /// </param>
    /// <param name="execution">The cheaper execution on an accelerator.</param>
    internal static IEnumerable<ExecutionPlan> Candidates(RunConfig config, bool accelerator, ExecutionKind execution)
    {
        var chosen = config.Method.Execution != ExecutionKind.Auto ? config.Method.Execution
            : accelerator ? execution : ExecutionKind.Activations;
        foreach (var placement in Placements(config, accelerator))
        {
            foreach (var recompute in Recomputes(config, placement)) yield return new ExecutionPlan(chosen, placement, recompute);
        }
    }

    private static IEnumerable<BasePlacement> Placements(RunConfig config, bool accelerator)
    {
        if (config.Base != BasePlacement.Auto) return [config.Base];
        // A base that is trained cannot be streamed.
        return (accelerator || config.Budget.DeviceBytes is not null) && config.Method.Kind != MethodKind.Full
            ? [BasePlacement.Resident, BasePlacement.Streamed]
            : [BasePlacement.Resident];
    }

    private static IEnumerable<bool> Recomputes(RunConfig config, BasePlacement placement) => config.Recompute switch
    {
        // A layer that streams does not stay for its backward pass.
        _ when placement == BasePlacement.Streamed => [true],
        RecomputeMode.On => [true],
        RecomputeMode.Off => [false],
        _ => [false, true],
    };
}
