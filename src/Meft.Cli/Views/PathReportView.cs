using System.Globalization;
using Meft.Core.Configuration;
using Meft.Inspection;

namespace Meft.Cli.Views;

/// <summary>A <see cref="PathReport"/> as aligned lines.</summary>
internal sealed class PathReportView(TextWriter text)
{
    private const int Width = 100, MostKeyWidth = 48;

    /// <summary>Tensors of a foreign file are shown up to this many where nobody asks for all, and files up to this many.</summary>
    private const int ShownTensors = 40, ShownFiles = 8;

    /// <summary>Writes a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="listTensors">Whether every tensor is listed; else those of a foreign file are, the first of them.</param>
    public void Write(PathReport report, bool listTensors)
    {
        Line(Title(report.Kind), report.Path);
        if (report.Gguf is { } gguf) Write(gguf);
        if (report.Model is { } model) WriteAll(ModelLines.Of(model));
        if (report.Adapter is { } adapter) Write(adapter);
        if (report.Run is { } run) Write(run);
        if (report.Step is { } step) Line("step", $"{step:N0}");
        if (report.Checkpoint is { } checkpoint) Write(checkpoint);
        if (report.Tokenizer is { } tokenizer) WriteAll(ModelLines.Of(tokenizer));
        if (report.Files is { } files) Write(files);
        if (report.Tensors is { } tensors) WriteTotals(tensors);
        if (report.AdapterCosts is { } costs) WriteAll(ModelLines.Of(costs));
        foreach (var remark in report.Remarks) Line("note", remark);

        // What the model's sizes or an adapter's config say needs no list.
        var foreign = report.Model is null && report.Adapter is null && report.Step is null;
        if (report.Metadata is { } metadata && (foreign || listTensors)) WriteMetadata(metadata);
        if (report.Tensors is { } all && (foreign || listTensors)) TensorListView.WriteEach(text, all, listTensors ? int.MaxValue : ShownTensors);
    }

    private static string Title(PathKind kind) => kind switch
    {
        PathKind.Gguf => "GGUF file",
        PathKind.Tokenizer => "folder",
        _ => ChoiceName.Of(kind),
    };

    private void Write(GgufFacts gguf) => Line(
        "its metadata",
        $"version {gguf.Version}, {gguf.Architecture ?? "no architecture"}, {(gguf.Tokenizer is { } kind ? $"tokenizer {kind}" : "no tokenizer")}, "
        + (gguf.ChatTemplate ? "a chat template" : "no chat template"));

    private void Write(AdapterFacts adapter)
    {
        Line("kind", adapter.Kind + (adapter.Rank is { } rank ? $", rank {rank:N0}" : ""));
        if (adapter.BaseModel is { } baseModel) Line("base model", baseModel + (adapter.HiddenSize is { } size ? $", hidden size {size:N0}" : ""));
        if (adapter.Experts is { } experts)
        {
            Line("router", experts == 0 ? "none" : $"{experts} experts, {adapter.Probe} probed by a token, {adapter.Gate} gate");
            Line("top k", adapter.TopK == 0 ? "all candidates" : $"{adapter.TopK} neurons a token");
        }
        if (adapter.Lora is { } lora) Write(lora);
        if (adapter.Layers is { } layers) Line("layers", string.Join(", ", layers));
        if (adapter.Parameters is { } parameters) Line("parameters", $"{Quantities.Count(parameters)} ({parameters:N0})");
    }

    private void Write(LoraFacts lora)
    {
        Line("alpha", $"{lora.Alpha:0.####}{(lora.Rslora ? ", scaled by the root of the rank" : "")}{(lora.Dropout > 0 ? $", dropout {lora.Dropout:0.####}" : "")}");
        Line("targets", lora.Targets);
        if (lora.RankPattern.Count > 0) Line("rank pattern", Pairs(lora.RankPattern));
        if (lora.AlphaPattern.Count > 0) Line("alpha pattern", Pairs(lora.AlphaPattern));

        static string Pairs<T>(IReadOnlyDictionary<string, T> values) => string.Join(", ", values.Select(v => $"{v.Key}: {v.Value}"));
    }

    private void Write(RunFacts run)
    {
        Line("base model", run.BaseModel);
        Line("method", run.Method + (run.Rank is { } rank ? $", rank {rank:N0}" : ""));
        Line("steps", run.LastLoss is { } loss ? $"{run.Steps:N0}, last loss {loss:0.0000}" : $"{run.Steps:N0}");
        Line("checkpoints", run.Checkpoints.Count == 0 ? "none" : "after step " + string.Join(", ", run.Checkpoints.Select(step => $"{step:N0}"))
            + (run.BestCheckpoint is { } best ? $"; the best after step {best:N0}" : ""));
        Line("result", run.Result ?? "none yet");
    }

    private void Write(CheckpointFacts checkpoint)
    {
        Line("holds", checkpoint.BaseStep is { } full ? $"the rows that have changed since the full checkpoint of step {full:N0}, which it needs" : "the full state");
        if (checkpoint.Owner is { } owner) Line("of", owner.Method + (owner.Rank is { } rank ? $", rank {rank:N0}" : "") + $", on {owner.BaseModel}");
        if (checkpoint.Progress is { ValidationLoss: { } loss } progress)
            Line("validation", $"loss {loss:0.0000}" + (progress.BestValidationLoss is { } best ? $", the least {best:0.0000} after step {progress.BestValidationStep:N0}" : ""));
    }

    private void Write(IReadOnlyList<FileFacts> files)
    {
        Line("files", files.Count == 1 ? $"{files[0].Name}, {Quantities.Bytes(files[0].Bytes)}" : $"{files.Count:N0} shards, {Quantities.Bytes(files.Sum(f => f.Bytes))}");
        if (files.Count == 1) return;
        foreach (var file in files.Take(ShownFiles)) Line("", $"{file.Name}, {Quantities.Bytes(file.Bytes)}, {file.Tensors:N0} {(file.Tensors == 1 ? "tensor" : "tensors")}");
        if (files.Count > ShownFiles) Line("", $"… and {files.Count - ShownFiles:N0} more");
    }

    private void WriteTotals(TensorList tensors)
    {
        var bits = tensors.BitsPerElement is { } each ? string.Create(CultureInfo.InvariantCulture, $", {each:0.##} bits an element") : "";
        Line("tensors", $"{tensors.Count:N0}, {Quantities.Count(tensors.Elements)} elements, {Quantities.Bytes(tensors.Bytes)}{bits}");
        if (tensors.ByType.Count == 0) return;
        foreach (var line in TensorListView.Totals(tensors)) Line("", line);
    }

    private void WriteMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        text.WriteLine();
        var width = Math.Min(MostKeyWidth, metadata.Keys.Max(key => key.Length));
        foreach (var (key, value) in metadata)
        {
            var line = VisibleText.Of(value.ReplaceLineEndings(" "));
            // Some values are whole documents.
            var room = Math.Max(20, Width - 3 - Math.Max(width, key.Length));
            text.WriteLine($"{VisibleText.Of(key.ReplaceLineEndings(" ")).PadRight(width)}  {(line.Length > room ? line[..room] + "…" : line)}");
        }
    }

    private void WriteAll(IEnumerable<(string Title, string Text)> lines)
    {
        foreach (var (title, line) in lines) Line(title, line);
    }

    private void Line(string name, string value) => TitledText.Write(text, $"{name,-13} ", VisibleText.Of(value), Width);
}
