using Meft.Core.Data;
using Meft.Core.Metrics;
using Meft.Core.Storage;
using Meft.Reporting.TensorBoard;

namespace Meft.Reporting;

/// <summary>The files of a run folder that reports are made of, and the report.</summary>
internal static class RunFiles
{
    public const string Metrics = "metrics.jsonl";
    public const string Samples = "samples.jsonl";
    public const string Audit = RunAudit.FileName;
    public const string Report = "report.html";

    /// <summary>Writes <c>report.html</c>.</summary>
    public static void WriteReport(string folder, string html) => AtomicFile.WriteAllText(Path.Combine(folder, Report), html);

    /// <summary>Removes what is written while a run goes on, and the report.</summary>
    public static void Clear(string folder)
    {
        foreach (var name in new[] { Metrics, ExpertLoadFile.Name, Report }) File.Delete(Path.Combine(folder, name));
        foreach (var events in EventFile.In(folder)) File.Delete(events);
    }
}
