using System.Globalization;
using Meft.Training.Runs;

namespace Meft.Cli.Views;

/// <summary>What a run says of single events, one line each.</summary>
internal static class RunMessages
{
    /// <summary>The validation loss was measured.</summary>
    public static string Evaluated(int step, double loss, double? change) =>
        string.Create(CultureInfo.InvariantCulture, $"validation loss after step {step}: {loss:F4}") + (change is { } by ? string.Create(CultureInfo.InvariantCulture, $" ({by:+0.0000;−0.0000;±0})") : "");

    /// <summary>A checkpoint is complete.</summary>
    public static string Saved(string folder) => $"checkpoint {folder}";

    /// <summary>A checkpoint is complete, with what it took.</summary>
    public static string Saved(SavedCheckpoint saved) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Saved(saved.Folder)} ({(saved.BaseStep is { } full ? $"changes since step {full}" : "full")}, {Quantities.Bytes(saved.Bytes)} in {saved.WriteSeconds:F1} s, training waited {saved.HeldSeconds:F1} s)");
}
