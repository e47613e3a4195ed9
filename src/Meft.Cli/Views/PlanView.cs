using System.Globalization;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Planning;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>A plan as tables, as one JSON document, and as the few lines that a run begins with.</summary>
internal static class PlanView
{
    private const int Width = 80;

    private static readonly (MemoryTier Tier, string Name)[] Tiers =
    [
        (MemoryTier.Device, "device"), (MemoryTier.Pinned, "pinned"), (MemoryTier.Host, "host"), (MemoryTier.Program, "program"), (MemoryTier.Disk, "disk"),
    ];

    /// <summary>One JSON document.</summary>
    public static void WriteJson(PlannedRun planned, TextWriter text) => text.WriteLine(JsonText.Document(PlanDocument.Of(planned)));

    /// <summary>Tables, without colour.</summary>
    public static void WriteText(PlannedRun planned, TextWriter text)
    {
        var plan = planned.Plan;
        var (trained, whole) = (Quantities.Count(plan.TrainedParameters), Quantities.Count(plan.BaseParameters));
        TitledText.Write(text, "method   ", $"{ChoiceName.Of(plan.Method)}, {trained} trained parameters, {whole} of the base", Width);
        TitledText.Write(text, "batches  ", Batches(plan.Workload), Width);
        TitledText.Write(text, "way      ", Way(plan), Width);
        foreach (var remark in planned.Remarks) TitledText.Write(text, "note     ", remark, Width);
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = Width;
        WriteTable(console, text, Memory(plan));
        TitledText.Write(text, "", Resident(plan), Width);
        if (plan.Link.Count > 0 || plan.StreamedBytes > 0)
        {
            WriteTable(console, text, Link(plan));
            if (plan.Link.Count > 0) TitledText.Write(text, "", BreakEven(plan), Width);
            if (plan.StreamHiddenFromTokens is { } tokens)
                TitledText.Write(text, "", $"A streamed layer arrives while another computes from about {tokens:N0} tokens a micro-batch on; with fewer the device waits for it.", Width);
        }
        if (plan.Step is not null) WriteTable(console, text, Step(plan.Step));
        if (plan.Seconds is { } seconds) TitledText.Write(text, "", $"{plan.Workload.Steps:N0} steps take about {Duration(seconds)}, evaluation and saving not counted.", Width);
    }

    /// <summary>What a run begins with, on one line each.</summary>
    public static IEnumerable<string> Short(PlannedRun planned)
    {
        var plan = planned.Plan;
        var (memory, bounds) = (plan.Memory, plan.Bounds);
        yield return $"{Quantities.Bytes(memory.ResidentBytes)} resident{Of(bounds.HostBytes)}, "
            + $"device {Quantities.Bytes(bounds.DeviceNeed(memory))}{Of(bounds.DeviceBytes)}, disk {Quantities.Bytes(memory.DiskBytes)}{Of(bounds.DiskBytes)}";
        var time = plan.Step is { } step ? $", {Seconds(step.Seconds)} s a step" + (plan.Seconds is { } all ? $", {Duration(all)} in all" : "") : "";
        yield return Way(plan) + time;
    }

    /// <summary>Predicted against measured, a line each.</summary>
    public static IEnumerable<string> Compare(Training.Runs.RunResult result)
    {
        var resident = $"peak memory         {Quantities.Bytes(result.PeakResidentBytes)} resident";
        if (result.Predicted is not { } predicted)
        {
            yield return resident;
            yield break;
        }
        yield return $"{resident}, {Quantities.Bytes(predicted.PeakResidentBytes)} predicted";
        if (result.DeviceBytesPeak is { } device)
            yield return $"device, counted     {Quantities.Bytes(device)}, {Quantities.Bytes(predicted.DeviceBytesPeak)} predicted";
        if (result.StepSeconds is { } measured && predicted.StepSeconds is { } seconds)
            yield return $"seconds a step      {Seconds(measured)}, {Seconds(seconds)} predicted";
    }

    private static string Batches(Workload work) =>
        $"{work.MeanTokens:N0} tokens ({work.MeanTrained:N0} trained) in the mean, {work.WorstTokens:N0} at most; {work.MicroBatches:N0} a step"
        + (work.Steps is { } steps ? $", {steps:N0} steps" : "");

    private static string Way(RunPlan plan)
    {
        var way = plan.Execution;
        var travels = plan.Method == MethodKind.Meft ? $"{ChoiceName.Of(way.Execution)} travel, " : "";
        return $"{travels}base {ChoiceName.Of(way.Base)}, {(way.Recompute ? "layers recomputed" : "no recompute")}";
    }

    private static Table Memory(RunPlan plan)
    {
        var table = NewTable("memory at its peak", "", "");
        foreach (var (tier, name) in Tiers)
        {
            var items = plan.Memory.Items.Where(i => i.Tier == tier).OrderByDescending(i => i.Bytes).ToList();
            foreach (var (item, i) in items.Select((item, i) => (item, i))) table.AddRow(i == 0 ? name : "", item.Cause, Quantities.Bytes(item.Bytes));
            if (items.Count > 1) table.AddRow("", "together", Quantities.Bytes(plan.Memory.Of(tier)));
        }
        return table;
    }

    private static string Resident(RunPlan plan)
    {
        var (memory, bounds) = (plan.Memory, plan.Bounds);
        var bound = bounds.HostBytes is { } most ? $" of {Quantities.Bytes(most)}, {bounds.HostReason}" : "";
        var device = bounds.DeviceBytes is { } limit
            ? $"; device {Quantities.Bytes(bounds.DeviceNeed(memory))} of {Quantities.Bytes(limit)}, {bounds.DeviceReason}"
            : "";
        var disk = bounds.DiskBytes is { } free ? $"; disk {Quantities.Bytes(memory.DiskBytes)} of {Quantities.Bytes(free)} free" : "";
        return $"The process has {Quantities.Bytes(memory.ResidentBytes)} resident at its peak{bound}{device}{disk}.";
    }

    private static Table Link(RunPlan plan)
    {
        var table = NewTable("over the link, a step", "to the host", "to the device", "both");
        foreach (var link in plan.Link)
        {
            table.AddRow(
                $"{ChoiceName.Of(link.Execution)} travel", Quantities.Bytes(link.ToHostBytes), Quantities.Bytes(link.ToDeviceBytes),
                Quantities.Bytes(link.TotalBytes));
        }
        if (plan.StreamedBytes > 0)
            table.AddRow("layers of the base", Quantities.Bytes(0), Quantities.Bytes(plan.StreamedBytes), Quantities.Bytes(plan.StreamedBytes));
        return table;
    }

    private static string BreakEven(RunPlan plan)
    {
        var union = $"A layer activates about {plan.ExpectedUnion:N0} rows in a micro-batch (never above {plan.UnionBound:N0}).";
        return union + (plan.BreakEvenTokens is { } tokens
            ? $" From {tokens:N0} tokens on, rows cost less to move."
            : " Activations cost less to move at any size.");
    }

    private static Table Step(StepCost step)
    {
        var table = NewTable("a step", "device", "host", "seconds");
        foreach (var phase in step.Phases)
            table.AddRow(phase.Name, Operations(phase.DeviceFlops), Operations(phase.HostFlops), Seconds(phase.Seconds));
        table.AddRow("together", Operations(step.Phases.Sum(p => p.DeviceFlops)), Operations(step.Phases.Sum(p => p.HostFlops)), Seconds(step.Seconds));
        return table;
    }

    private static Table NewTable(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Simple);
        for (var i = 0; i < columns.Length; i++)
        {
            var column = new TableColumn(columns[i]);
            // Names stand left; of three columns without titles of their own, the middle one is a name too.
            table.AddColumn(i == 0 || columns[i].Length == 0 && i + 1 < columns.Length ? column : column.RightAligned());
        }
        return table;
    }

    /// <summary>Spectre pads lines with blanks, which nobody needs.</summary>
    private static void WriteTable(IAnsiConsole console, TextWriter text, Table table)
    {
        using var lines = new StringWriter { NewLine = "\n" };
        console.Profile.Out = new AnsiConsoleOutput(lines);
        console.Write(table);
        foreach (var line in lines.ToString().TrimEnd('\n').Split('\n')) text.WriteLine(line.TrimEnd());
    }

    private static string Of(long? bound) => bound is { } bytes ? $" of {Quantities.Bytes(bytes)}" : "";

    private static string Operations(double flops) => flops == 0 ? "-" : $"{flops / 1e9:N1} GFLOP";

    private static string Seconds(double seconds) => seconds.ToString(seconds < 0.1 ? "0.0000" : "0.00", CultureInfo.InvariantCulture);

    private static string Duration(double seconds) => seconds < 120 ? $"{seconds:0} s" : seconds < 7200 ? $"{seconds / 60:0} min" : $"{seconds / 3600:0.0} h";
}
