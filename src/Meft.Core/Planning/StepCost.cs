namespace Meft.Core.Planning;

/// <summary>The work of one phase of a step.</summary>
/// <param name="Name">The phase, as <c>metrics.jsonl</c> names it.</param>
/// <param name="DeviceFlops">Floating-point operations of matrix products on the device.</param>
/// <param name="HostFlops">Floating-point operations of the sparse adapter on the host.</param>
/// <param name="Seconds">Predicted seconds.</param>
public sealed record PhaseCost(string Name, double DeviceFlops, double HostFlops, double Seconds);

/// <summary>A step's phases, in order.</summary>
/// <param name="Phases">Data, forward, backward, optimizer.</param>
public sealed record StepCost(IReadOnlyList<PhaseCost> Phases)
{
    /// <summary>Predicted seconds of a step.</summary>
    public double Seconds => Phases.Sum(p => p.Seconds);

    /// <summary>All floating-point operations of a step.</summary>
    public double Flops => Phases.Sum(p => p.DeviceFlops + p.HostFlops);
}
