using System.Globalization;

namespace Meft.Cli.Views;

/// <summary>The figures of a step as words.</summary>
internal static class StepFigures
{
    /// <summary>Number and unit of each figure, the most wanted first.</summary>
    public static IReadOnlyList<(string Number, string Unit)> Of(RunProgress progress)
    {
        if (progress.Latest is not { } step) return [];
        var figures = new List<(string, string)> { ($"{step.TokensPerSecond:N0}", "tokens/s"), (Seconds(step.Seconds), "s a step") };
        if (!double.IsNaN(step.ActiveRows)) figures.Add(($"{step.ActiveRows * 100:0} %", "rows active"));
        figures.Add((Quantities.Bytes(step.HostBytes), "host"));
        figures.Add((Quantities.Bytes(step.DeviceBytesPeak), "device"));
        figures.Add((Quantities.Bytes(step.HostToDeviceBytes + step.DeviceToHostBytes), "link a step"));
        if (step.Checkpoint is { WriteSeconds: null } saving) figures.Add(($"step {saving.Step:N0}", "being saved"));
        return figures;
    }

    /// <summary>Everything about the latest step on one plain line.</summary>
    public static string Line(RunProgress progress)
    {
        var parts = new List<string> { $"step {progress.Step:N0}/{progress.Total:N0}" };
        if (progress.Latest is { } step)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"loss {step.Loss:F4} (smoothed {progress.SmoothedLoss:F4})"));
        parts.AddRange(Of(progress).Take(2).Select(f => $"{f.Number} {f.Unit}"));
        if (progress.Left is { } left) parts.Add($"{Clock(left)} left");
        parts.AddRange(Of(progress).Skip(2).Select(f => char.IsAsciiLetter(f.Number[^1]) && !f.Unit.Contains("row", StringComparison.Ordinal) ? $"{f.Unit} {f.Number}" : $"{f.Number} {f.Unit}"));
        return string.Join(" · ", parts);
    }

    /// <summary>Seconds with as many digits as matter.</summary>
    public static string Seconds(double seconds) => seconds.ToString(seconds < 0.1 ? "0.000" : seconds < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    /// <summary>A time as a clock shows it: <c>0:42</c>, <c>12:31</c>, <c>3:05:12</c>, <c>2 d 03:05</c>.</summary>
    public static string Clock(TimeSpan time) =>
        time.TotalDays >= 1 ? time.ToString(@"d\ \d\ hh\:mm", CultureInfo.InvariantCulture)
        : time.TotalHours >= 1 ? time.ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture)
        : time.ToString(@"m\:ss", CultureInfo.InvariantCulture);
}
