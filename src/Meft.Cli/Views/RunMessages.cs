using System.Globalization;

namespace Meft.Cli.Views;

/// <summary>What a run says of single events, one line each.</summary>
internal static class RunMessages
{
    /// <summary>The validation loss was measured.</summary>
    public static string Evaluated(int step, double loss, double? change) =>
        string.Create(CultureInfo.InvariantCulture, $"validation loss after step {step}: {loss:F4}") + (change is { } by ? string.Create(CultureInfo.InvariantCulture, $" ({by:+0.0000;−0.0000;±0})") : "");

    /// <summary>A checkpoint is complete.</summary>
    public static string Saved(string folder) => $"checkpoint {folder}";
}
