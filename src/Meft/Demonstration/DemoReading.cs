using Meft.Core.Comparisons.Results;
using Meft.Core.Comparisons.Tables;
using Meft.Core.Configuration;
using static System.FormattableString;

namespace Meft.Demonstration;

/// <summary>What the numbers of a demonstration say, in sentences that are made of them.</summary>
internal static class DemoReading
{
    private const int OldFacts = 2;

    /// <summary>The sentences; none where no sparse adapter was trained.</summary>
    public static IReadOnlyList<string> Of(ComparisonResult result)
    {
        var measured = result.Methods.Where(m => m.Figures is not null).ToList();
        if (measured.Where(m => m.Kind == MethodKind.Meft).MaxBy(m => m.Figures![0].Value) is not { } meft) return [];
        return [.. new[] { Best(measured), Against(meft, measured.FirstOrDefault(m => m.Name == result.Reference)), Memory(meft, result) }.OfType<string>()];
    }

    private static string Best(List<MethodResult> measured)
    {
        var most = measured.Max(m => m.Figures![0].Value);
        var best = measured.Where(m => m.Figures![0].Value == most).Select(m => m.Name).ToList();
        return Invariant($"Of the {measured.Count} methods that fit, {string.Join(" and ", best)} {(best.Count == 1 ? "recalls" : "recall")} the most new facts, {100 * most:0.0} %.");
    }

    /// <summary>The sparse adapter beside the reference: new facts, old facts, parameters, bytes.</summary>
    private static string? Against(MethodResult meft, MethodResult? reference)
    {
        if (reference is null || meft.Figures![0].ToReference is not { } news || meft.Figures[OldFacts].ToReference is not { } olds) return null;
        return Invariant(
            $"{meft.Name} against {reference.Name}: {Points(news)} of the new facts, {Points(olds)} of the old ones; {(double)meft.Parameters / reference.Parameters:0.#} times the parameters with {(double)meft.Cost!.DeviceBytesPeak / reference.Cost!.DeviceBytesPeak:0.00} times the device bytes.");
    }

    private static string Points(FigureDifference difference)
    {
        var value = Invariant($"{100 * difference.Value:+0.0;-0.0;0.0} points");
        return difference.Interval is { } interval && (interval.Low > 0 || interval.High < 0) ? value : value + " (no clear difference)";
    }

    private static string? Memory(MethodResult meft, ComparisonResult result) =>
        result.Methods.Where(m => m.State == MethodState.DoesNotFit).MinBy(m => m.PlannedDeviceBytes) is not { } tooLarge ? null
        : Invariant($"{tooLarge.Name} would hold {ComparisonText.Bytes(tooLarge.PlannedDeviceBytes)} on the device; {meft.Name} holds {ComparisonText.Bytes(meft.Cost!.DeviceBytesPeak)} there, and {ComparisonText.Bytes(meft.Cost.HostBytes)} on the host.");
}
