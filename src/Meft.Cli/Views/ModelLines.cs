using System.Globalization;
using Meft.Inspection;

namespace Meft.Cli.Views;

/// <summary>A model's sizes, tokenizer and costs as lines with a title each; an empty title goes on with the line before.</summary>
internal static class ModelLines
{
    /// <summary>Special tokens of a tokenizer are shown up to this many.</summary>
    private const int ShownTokens = 8;

    /// <summary>The sizes.</summary>
    public static IEnumerable<(string Title, string Text)> Of(ModelSizes model)
    {
        yield return ("architecture", $"{model.Architecture} ({model.Family})" + (model.DType is { } type ? $", {type}" : ""));
        yield return ("parameters", $"{Quantities.Count(model.Parameters)} ({model.Parameters:N0})");
        yield return ("layers", $"{model.Layers:N0}, hidden size {model.HiddenSize:N0}, feed-forward {model.IntermediateSize:N0} ({model.Activation})");
        yield return ("heads", $"{model.Heads} of size {model.HeadSize}, {model.KeyValueHeads} for keys and values");
        yield return ("vocabulary", $"{model.VocabularySize:N0}, {(model.TiedEmbeddings ? "embedding and head are one" : "embedding and head apart")}");
        yield return ("positions", $"{model.MaxPositions:N0}, rope {Rope(model.Rope, model.HeadSize)}");
        if (model.LocalRope is { } local) yield return ("", $"in sliding layers rope {Rope(local, model.HeadSize)}");
        if (model.LayersWithoutRope > 0) yield return ("", $"{model.LayersWithoutRope} of {model.Layers} layers without rope");
        if (model is { SlidingWindow: { } window, SlidingLayers: > 0 })
            yield return ("window", $"{window:N0} tokens in {(model.SlidingLayers == model.Layers ? "every layer" : $"{model.SlidingLayers} of {model.Layers} layers")}");
        if (string.Join(", ", Features(model)) is { Length: > 0 } features) yield return ("also", features);
    }

    /// <summary>The tokenizer.</summary>
    public static IEnumerable<(string Title, string Text)> Of(TokenizerFacts tokenizer)
    {
        yield return ("tokenizer", $"{tokenizer.VocabularySize:N0} tokens, {tokenizer.Algorithm} from {tokenizer.Form}"
            + (tokenizer.Form == Path.GetFileName(tokenizer.Source) ? "" : $" ({Path.GetFileName(tokenizer.Source)})"));
        yield return ("", $"begins with {Tokens(tokenizer.Begin)}, ends with {Tokens(tokenizer.End)}");
        var special = tokenizer.SpecialTokens.Take(ShownTokens)
            .Select(t => $"{t.Name.Replace("_token", "", StringComparison.Ordinal)} {t.Token} ({t.Id?.ToString(CultureInfo.InvariantCulture) ?? "not in the vocabulary"})");
        if (tokenizer.SpecialTokens.Count > 0) yield return ("", string.Join(", ", special));
        if (tokenizer.AddedTokens > 0) yield return ("", $"{tokenizer.AddedTokens:N0} added {(tokenizer.AddedTokens == 1 ? "token" : "tokens")}");
        yield return ("template", tokenizer.TemplateSource is { } source ? $"from {Path.GetFileName(source)}" : "none");
    }

    /// <summary>What adapters would add.</summary>
    public static IEnumerable<(string Title, string Text)> Of(AdapterCosts costs)
    {
        yield return ("adapters", $"by the plan of a step of {costs.Rows:N0} rows of {costs.RowTokens:N0} tokens on the CPU;");
        yield return ("", $"{Quantities.Bytes(costs.BaseDeviceBytes)} of the device bytes are the base");
        var table = new AlignedTable("", "layers", "parameters", "of base", "file", "host", "device");
        foreach (var cost in costs.Methods)
        {
            table.Add(
                cost.Name, $"{cost.Layers:N0}", Quantities.Count(cost.Parameters), string.Create(CultureInfo.InvariantCulture, $"{100 * cost.ShareOfBase:0.0} %"),
                Quantities.Bytes(cost.FileBytes), Quantities.Bytes(cost.HostBytes), Quantities.Bytes(cost.DeviceBytes));
        }
        foreach (var line in TensorListView.Lines(table)) yield return ("", line);
    }

    private static string Rope(RopeFacts rope, int headSize) => string.Create(
        CultureInfo.InvariantCulture,
        $"{rope.Type}, base {rope.Theta:#,0.###}{(rope.Factor is { } factor ? $", factor {factor:0.###}" : "")}"
        + $"{(rope.OriginalMaxPositions is { } original ? $" from {original:N0}" : "")}{(rope.Turned == headSize ? "" : $", {rope.Turned} of a head's {headSize} numbers turned")}");

    private static IEnumerable<string> Features(ModelSizes model)
    {
        if (model.Norms != "before") yield return $"norms {model.Norms} the blocks";
        if (model.QueryKeyNorm) yield return "queries and keys normed";
        if (model.FusedProjections) yield return "fused projections";
        if (model.AttentionSoftCap is { } scores) yield return Text($"attention scores capped at {scores:0.###}");
        if (model.LogitSoftCap is { } logits) yield return Text($"logits capped at {logits:0.###}");
        if (model.EmbeddingMultiplier is { } embeddings) yield return Text($"embeddings times {embeddings:0.####}");
        if (model.AttentionMultiplier is { } attention) yield return Text($"attention scores times {attention:0.######}");
        if (model.ResidualMultiplier is { } blocks) yield return Text($"blocks times {blocks:0.####}");
        if (model.LogitDivisor is { } divisor) yield return Text($"logits divided by {divisor:0.####}");
        if (model.Biases.Count > 0) yield return $"biases on {string.Join(", ", model.Biases.Select(b => b.Replace('_', ' ')))}";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Tokens(IReadOnlyList<string> tokens) => tokens.Count == 0 ? "nothing" : string.Join(" or ", tokens);
}
