using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Meft.Cli.CommandLine;
using Meft.Cli.Diagnostics;
using Meft.Core.Machine;

namespace Meft.Cli.Verbs;

/// <summary><c>meft doctor</c>: what the program found on this machine.</summary>
internal sealed class DoctorVerb : IVerb
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document." };

    public DoctorVerb() => Command = new Command("doctor", "Show machine, libtorch, devices, threads, vector width and memory limits.") { _json };

    /// <inheritdoc/>
    public Job Job => Job.Machine;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft doctor";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var torch = TorchReport.Read();
        var report = new Report(
            MeftProgram.Version, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, ProcessorInfo.Read(),
            Environment.ProcessorCount, MemoryLimits.Read(), torch);
        if (arguments.GetValue(_json)) context.Results.WriteLine(JsonSerializer.Serialize(report, Json));
        else WriteText(report, context.Results);
        return torch.Problem is null ? 0 : 1;
    }

    private static void WriteText(Report report, TextWriter text)
    {
        var (processor, memory, torch) = (report.Processor, report.Memory, report.Torch);
        Line("meft", report.Version);
        Line("system", report.System);
        Line(".NET", report.Framework);
        Line("processor", processor.Name);
        Line("cores", processor.PhysicalCores is { } physical ? $"{processor.LogicalCores} ({physical} physical in the machine)" : $"{processor.LogicalCores}");
        Line("vectors", processor.VectorBits == 0 ? "none in hardware" : $"{processor.VectorBits} bits");
        Line("memory", Size(memory.PhysicalBytes, "not known"));
        Line("available", Size(memory.AvailableBytes, "not known"));
        Line("memory limit", memory.ControlGroupVersion is { } version
            ? $"{Size(memory.ControlGroupBytes, "")} (control group, version {version})"
            : "none");
        if (torch.Native is { } native)
        {
            Line("libtorch", $"{torch.Version} from {native.LibtorchFolder} ({native.LibtorchSource})");
            Line("binding", native.BindingPath);
            Line("mended", native.Mended ?? "nothing had to be");
            Line("devices", string.Join(", ", torch.Devices));
            foreach (var card in torch.Cards) Line(card.Name, card.Problem ?? $"{card.Product}, {Size(card.FreeBytes, "?")} of {Size(card.TotalBytes, "?")} free");
            Line("threads", $"{torch.Threads} of torch, {report.KernelThreads} of the kernels");
        }
        else
        {
            Line("libtorch", $"could not be loaded: {torch.Problem}");
        }

        void Line(string name, string value) => text.WriteLine($"{name,-13} {value}");
    }

    private static string Size(long? bytes, string otherwise) =>
        bytes is { } known ? string.Create(null, $"{known / (double)(1L << 30):0.0} GiB") : otherwise;

    private sealed record Report(
        string Version, string System, string Framework, ProcessorInfo Processor, int KernelThreads, MemoryLimits Memory, TorchReport Torch);
}
