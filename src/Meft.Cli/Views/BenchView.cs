using Meft.Benchmarking;
using Meft.Core.Configuration;

namespace Meft.Cli.Views;

/// <summary>Measurements as tables, the command and the machine above them.</summary>
internal sealed class BenchView(TextWriter text)
{
    private const string None = "–";

    /// <summary>What every report begins with.</summary>
    public void WriteHead(string command, BenchmarkMachine machine)
    {
        text.WriteLine($"$ {command}");
        var memory = machine.MemoryBytes is { } bytes ? Quantities.Bytes(bytes) : "memory not known";
        text.WriteLine(
            $"{machine.Processor}, {machine.Cores} cores, {machine.KernelThreads} threads of the kernels, {machine.TorchThreads} of torch, "
            + $"vectors of {machine.VectorBits} bits, {memory}");
        if (machine.Cards.Count > 0) text.WriteLine($"cards {string.Join(", ", machine.Cards)}");
        text.WriteLine($"meft {machine.Meft}, libtorch {machine.Libtorch}, {machine.Framework}, {machine.System}");
        text.WriteLine();
    }

    /// <summary>Kernels beside their roofs.</summary>
    public void Write(KernelBenchmarkResult result)
    {
        text.WriteLine(
            $"roofs: matmul {result.Roofs.MatmulSingleGflops:F0} GFLOP/s in float32, {result.Roofs.MatmulBFloat16Gflops:F0} in bfloat16; "
            + $"memory {result.Roofs.CopyGigabytes:F1} GB/s copied, {result.Roofs.StreamGigabytes:F1} GB/s of 4 reads and 3 writes");
        foreach (var sample in result.Samples)
        {
            text.WriteLine();
            text.WriteLine(
                $"T = {sample.Tokens:N0}, R = {sample.Rank:N0}, N = {sample.Experts:N0}: "
                + $"{sample.ActiveEntries:N0} active neurons of tokens, {sample.ActiveUnion:N0} rows");
            var table = new AlignedTable("kernel", "ms", "rate", "of the roof", "allocated");
            foreach (var kernel in result.Kernels.Where(k => k.Tokens == sample.Tokens && k.Rank == sample.Rank))
            {
                table.Add(
                    kernel.Kernel, Milliseconds(kernel.Seconds),
                    kernel.Rate is { } rate ? $"{rate:F1} {(kernel.Roof == RoofKind.Matmul ? "GFLOP/s" : "GB/s")}" : None,
                    kernel.Share is { } share ? $"{share:F2} {RoofName(kernel.Roof)}" : None, Quantities.Bytes(kernel.AllocatedBytes));
            }
            table.Write(text);
        }
    }

    /// <summary>The optimizer beside a plain loop.</summary>
    public void Write(IReadOnlyList<OptimizerFigure> figures)
    {
        var table = new AlignedTable("AdamW", "R", "rows updated", "matrices", "ms", "GB/s", "plain loop, GB/s", "of it", "same rows, GB/s", "of it");
        foreach (var figure in figures)
        {
            table.Add(
                figure.Update, $"{figure.Rank:N0}", $"{figure.TouchedRows:N0}", $"{figure.Matrices}", Milliseconds(figure.Seconds),
                $"{figure.GigabytesPerSecond:F1}", $"{figure.StreamGigabytesPerSecond:F1}", $"{figure.Share:F2}",
                figure.SameRowsGigabytesPerSecond is { } same ? $"{same:F1}" : None, figure.SameRowsShare is { } of ? $"{of:F2}" : None);
        }
        table.Write(text);
    }

    /// <summary>Training steps side by side.</summary>
    public void Write(StepBenchmarkResult result)
    {
        var table = new AlignedTable(
            "base", "method", "R", "s a step", "ratio", "parameters", "tokens", "active rows", "device peak", "to device", "to host", "host B/parameter");
        foreach (var side in result.Sides)
        {
            table.Add(
                side.Base, Name(side), $"{side.Rank:N0}", $"{side.Seconds:F3}", $"{side.Ratio:F2}", Quantities.Count(side.Parameters), $"{side.Tokens:N0}",
                side.ActiveRows is { } rows ? $"{rows:N0}" : None, Quantities.Bytes(side.DeviceBytesPeak), Quantities.Bytes(side.HostToDeviceBytes),
                Quantities.Bytes(side.DeviceToHostBytes), $"{side.HostBytesAParameter:F1}");
        }
        table.Write(text);
        text.WriteLine($"ratio: to {result.Reference}, in the same rounds");
        if (result.Groups > 1) text.WriteLine($"memory did not hold all at once: {result.Groups} groups, each with {result.Reference}");
        text.WriteLine();
        WritePhases(result.Sides);
    }

    /// <summary>Generation, with and without an adapter.</summary>
    public void Write(IReadOnlyList<GenerationFigure> figures)
    {
        var table = new AlignedTable("prompts", "adapter", "s", "tokens a second", "of that without");
        foreach (var figure in figures)
        {
            table.Add(
                $"{figure.Prompts}", figure.Rank == 0 ? "none" : $"R = {figure.Rank:N0}", $"{figure.Seconds:F3}", $"{figure.TokensPerSecond:F1}",
                $"{figure.Ratio:F2}");
        }
        table.Write(text);
    }

    /// <summary>Loading, beside reading the same files.</summary>
    public void Write(IReadOnlyList<LoadFigure> figures)
    {
        var table = new AlignedTable("base", "type", "s", "reading, s", "of files", "weights", "largest", "peak, own", "peak, resident");
        foreach (var figure in figures)
        {
            table.Add(
                figure.Base, figure.Type, $"{figure.Seconds:F3}", $"{figure.ReadSeconds:F3}", Quantities.Bytes(figure.FileBytes), Quantities.Bytes(figure.WeightBytes),
                Quantities.Bytes(figure.LargestTensorBytes), figure.PeakAnonymousBytes is { } own ? Quantities.Bytes(own) : None,
                figure.PeakResidentBytes is { } all ? Quantities.Bytes(all) : None);
        }
        table.Write(text);
        text.WriteLine("peak, own: memory that loading takes beyond what the process held, without pages of the files; resident: with them");
    }

    private void WritePhases(IReadOnlyList<StepFigure> sides)
    {
        var phases = sides.SelectMany(s => s.Phases.Keys).Distinct().ToList();
        var table = new AlignedTable(["share of a step", "method", "R", .. phases]);
        foreach (var side in sides)
            table.Add([side.Base, Name(side), $"{side.Rank:N0}", .. phases.Select(p => side.Phases.TryGetValue(p, out var share) ? $"{100 * share:F1} %" : None)]);
        table.Write(text);
    }

    private static string Name(StepFigure side) => side.Execution == ChoiceName.Of(ExecutionKind.Rows) ? $"{side.Method}, rows" : side.Method;

    private static string RoofName(RoofKind roof) => roof switch
    {
        RoofKind.Matmul => "matmul",
        RoofKind.Copy => "copy",
        _ => "stream",
    };

    private static string Milliseconds(double seconds) => $"{seconds * 1e3:F3}";
}
