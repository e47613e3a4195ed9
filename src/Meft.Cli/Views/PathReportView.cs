using Meft.Core.Configuration;
using Meft.Inspection;

namespace Meft.Cli.Views;

/// <summary>A <see cref="PathReport"/> as aligned lines.</summary>
internal sealed class PathReportView(TextWriter text)
{
    /// <summary>Metadata are shown up to this length: some hold whole documents.</summary>
    private const int ShownValueLength = 80;

    /// <summary>Writes a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="listTensors">Whether every tensor is listed even where the model's sizes say it all.</param>
    public void Write(PathReport report, bool listTensors)
    {
        Line(Title(report.Kind), report.Path);
        if (report.Gguf is { } gguf) Write(gguf);
        if (report.Model is { } model) Write(model);
        if (report.Adapter is { } adapter) Write(adapter);
        if (report.Run is { } run) Write(run);
        if (report.Step is { } step) Line("step", $"{step:N0}");
        if (report.Checkpoint is { } checkpoint) Write(checkpoint);
        if (report.Tokenizer is { } tokenizer) Write(tokenizer);
        if (report.AdapterCost is { } cost) Write(cost);
        if (report.Tensors is { } tensors) WriteTotals(tensors);
        foreach (var remark in report.Remarks) Line("note", remark);

        var foreign = report.Model is null && report.Adapter is null && report.Step is null;
        if (report.Metadata is { } metadata && (foreign || listTensors)) WriteMetadata(metadata);
        if (report.Tensors is { } all && (foreign || listTensors)) WriteEach(all);
    }

    private static string Title(PathKind kind) => kind == PathKind.Gguf ? "GGUF file" : ChoiceName.Of(kind);

    private void Write(ModelSizes model)
    {
        Line("architecture", model.Architecture + (model.DType is { } type ? $", {type}" : ""));
        Line("parameters", $"{Quantities.Count(model.Parameters)} ({model.Parameters:N0})");
        Line("layers", $"{model.Layers}, hidden size {model.HiddenSize:N0}, feed-forward {model.IntermediateSize:N0}");
        Line("heads", $"{model.Heads} of size {model.HeadSize}, {model.KeyValueHeads} for keys and values");
        Line("vocabulary", $"{model.VocabularySize:N0}, {(model.TiedEmbeddings ? "embedding and head are one" : "embedding and head apart")}");
        Line("positions", $"{model.MaxPositions:N0}, rope {model.Rope}" + (model.SlidingWindow is { } window ? $", window {window:N0}" : ""));
    }

    private void Write(TokenizerFacts tokenizer) => Line(
        "tokenizer",
        $"{tokenizer.VocabularySize:N0} tokens ({Path.GetFileName(tokenizer.Source)}), begins with {Tokens(tokenizer.Begin)}, ends with {Tokens(tokenizer.End)}, "
        + (tokenizer.TemplateSource is { } source ? $"has a chat template ({Path.GetFileName(source)})" : "no chat template"));

    private void Write(GgufFacts gguf) => Line(
        "its metadata",
        $"{gguf.Architecture ?? "no architecture"}, {(gguf.Tokenizer is { } kind ? $"tokenizer {kind}" : "no tokenizer")}, "
        + (gguf.ChatTemplate ? "a chat template" : "no chat template"));

    private void Write(AdapterCost cost) => Line(
        "an adapter",
        $"of rank {cost.Rank:N0} ({cost.Experts} experts) on every layer adds {Quantities.Count(cost.Parameters)} parameters "
        + $"({cost.ShareOfBase:0.00} times the base): {Quantities.Bytes(cost.FileBytes)}, {Quantities.Bytes(cost.TrainingHostBytes)} of host memory to train");

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
    }

    private void Write(LoraFacts lora)
    {
        Line("alpha", $"{lora.Alpha:0.####}{(lora.Rslora ? ", scaled by the root of the rank" : "")}{(lora.Dropout > 0 ? $", dropout {lora.Dropout:0.####}" : "")}");
        Line("targets", lora.Targets);
        if (lora.RankPattern.Count > 0) Line("rank pattern", Pairs(lora.RankPattern));
        if (lora.AlphaPattern.Count > 0) Line("alpha pattern", Pairs(lora.AlphaPattern));
        if (lora.Parameters is { } parameters) Line("parameters", $"{Quantities.Count(parameters)} ({parameters:N0})");

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

    private void WriteTotals(TensorList tensors)
    {
        Line("tensors", $"{tensors.Count:N0}, {Quantities.Count(tensors.Elements)} elements, {Quantities.Bytes(tensors.Bytes)}");
        if (tensors.ByType.Count == 0) return;
        var width = tensors.ByType.Max(t => t.DType.Length);
        foreach (var type in tensors.ByType)
            Line("", $"{type.DType.PadRight(width)}  {type.Tensors,6:N0} tensors  {Quantities.Count(type.Elements),12} elements  {Quantities.Bytes(type.Bytes),10}");
    }

    private void WriteMetadata(IReadOnlyDictionary<string, string> metadata)
    {
        text.WriteLine();
        var width = metadata.Keys.Max(key => key.Length);
        foreach (var (key, value) in metadata)
        {
            var line = value.ReplaceLineEndings(" ");
            text.WriteLine($"{key.PadRight(width)}  {(line.Length > ShownValueLength ? line[..ShownValueLength] + "…" : line)}");
        }
    }

    private void WriteEach(TensorList tensors)
    {
        if (tensors.Count == 0) return;
        text.WriteLine();
        var name = tensors.All.Max(t => t.Name.Length);
        var type = tensors.All.Max(t => t.DType.Length);
        foreach (var tensor in tensors.All)
            text.WriteLine($"{tensor.Name.PadRight(name)}  {tensor.DType.PadRight(type)}  [{string.Join(", ", tensor.Shape)}]");
    }

    private static string Tokens(IReadOnlyList<string> tokens) => tokens.Count == 0 ? "nothing" : string.Join(" or ", tokens);

    private void Line(string name, string value) => text.WriteLine($"{name,-13} {value}");
}
