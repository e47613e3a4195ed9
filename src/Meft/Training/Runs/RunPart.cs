namespace Meft.Training.Runs;

/// <summary>A part of a run that one process computed: where it began, and what may change bits.</summary>
/// <param name="AfterStep">The checkpoint it began from; 0 for the start.</param>
/// <param name="Threads">Threads of the kernels and of libtorch.</param>
/// <param name="Device">Where the base ran.</param>
/// <param name="Execution">What travelled between host and device; null for methods where nothing does.</param>
/// <param name="LibtorchVersion">libtorch's version.</param>
public sealed record RunPart(int AfterStep, int Threads, string Device, string? Execution, string LibtorchVersion)
{
    /// <summary>What differs in a later part and may change bits: what it is here, and what it is there.</summary>
    internal IEnumerable<(string Here, string There)> Differences(RunPart other)
    {
        if (Threads != other.Threads) yield return ($"{Threads} threads", $"{other.Threads}");
        if (Device != other.Device) yield return ($"device {Device}", other.Device);
        if (Execution != other.Execution) yield return ($"execution {Execution}", $"{other.Execution}");
        if (LibtorchVersion != other.LibtorchVersion) yield return ($"libtorch {LibtorchVersion}", other.LibtorchVersion);
    }

    /// <summary>Whether the bits of both parts come from the same kind of computation.</summary>
    internal bool ComputesAs(RunPart other) => this with { AfterStep = 0 } == other with { AfterStep = 0 };
}
