using System.Globalization;

namespace Meft.Training;

/// <summary>What the largest micro-batch took when it was tried before the first step.</summary>
/// <param name="Step">The step that it belongs to, 1 for the first.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Tokens">Its tokens.</param>
/// <param name="Seconds">Forward and backward together.</param>
/// <param name="DeviceBytes">The most device bytes, as the ledger counts them.</param>
/// <param name="ResidentBytes">The most resident bytes of the process since it began, loading included.</param>
/// <param name="PlannedDeviceBytes">What the plan says of <paramref name="DeviceBytes"/>; null without a plan.</param>
/// <param name="PlannedResidentBytes">What the plan says of <paramref name="ResidentBytes"/>; null without a plan.</param>
public sealed record LargestBatchTrial(
    int Step, int Rows, long Tokens, double Seconds, long DeviceBytes, long ResidentBytes, long? PlannedDeviceBytes, long? PlannedResidentBytes)
{
    /// <summary>The micro-batch is left to the run where it comes within so many steps: then the run itself shows soon enough whether it fits.</summary>
    public const int SoonEnough = 10;

    /// <summary>More than the plan by this factor is said in words.</summary>
    private const double Much = 1.25;

    /// <summary>One line for a user.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"step 0: the largest micro-batch (of step {Step:N0}: {Rows:N0} rows, {Tokens:N0} tokens) fits; {Seconds:F2} s, "
        + $"device {Bytes(DeviceBytes, PlannedDeviceBytes)}, process {Bytes(ResidentBytes, PlannedResidentBytes)} at its peak");

    private static string Bytes(long measured, long? planned) => planned is not { } plan
        ? Mebibytes(measured)
        : $"{Mebibytes(measured)} (plan {Mebibytes(plan)}{(measured > Much * plan ? ": much more than planned" : "")})";

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:N1} MiB");
}
