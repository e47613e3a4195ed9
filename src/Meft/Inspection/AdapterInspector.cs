using System.Text.Json.Nodes;
using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;

namespace Meft.Inspection;

/// <summary>Looks at adapter folders: sparse ones, and those of other kinds as far as they say.</summary>
internal static class AdapterInspector
{
    /// <summary>Whether a folder is an adapter's.</summary>
    public static bool IsAdapter(string folder) => File.Exists(Path.Combine(folder, AdapterConfig.FileName));

    /// <summary>An adapter folder.</summary>
    public static PathReport Inspect(string folder)
    {
        var weights = Path.Combine(folder, SparseAdapterFiles.WeightsFileName);
        var kind = AdapterFolder.KindOf(folder);
        var report = new PathReport { Kind = PathKind.Adapter, Path = folder };
        report = kind switch
        {
            AdapterConfig.Kind => report with { Adapter = Sparse(folder) },
            PeftLoraConfig.Kind => Lora(report),
            _ => (report with { Adapter = Other(folder, kind) }).With($"adapters of the kind {kind} cannot be loaded; known are {AdapterConfig.Kind}, {PeftLoraConfig.Kind}"),
        };
        if (!File.Exists(weights)) return report.With($"no {SparseAdapterFiles.WeightsFileName}: the adapter cannot be loaded");
        using var file = SafetensorsFile.Open(weights);
        var tensors = ModelInspector.Tensors(file);
        report = report with { Tensors = tensors, Files = [FileFacts.Of(file)], Adapter = WithNumbers(report.Adapter!, tensors) };
        return kind == AdapterConfig.Kind && AdapterConfig.Read(folder).ToSpec().ParameterCount is var wanted && wanted != tensors.Elements
            ? report.With($"it cannot be loaded: {SparseAdapterFiles.WeightsFileName} holds {tensors.Elements:N0} numbers, {AdapterConfig.FileName} asks for {wanted:N0}")
            : report;
    }

    private static AdapterFacts Sparse(string folder)
    {
        var config = AdapterConfig.Read(folder);
        return new AdapterFacts(
            config.PeftType, config.BaseModelNameOrPath, config.Rank, config.HiddenSize, config.Experts, config.Probe, config.TopK,
            ChoiceName.Of(config.Gate), config.Layers, config.ToSpec().ParameterCount)
        { BaseConfigSha256 = config.BaseConfigSha256, TemplateSha256 = config.TemplateSha256 };
    }

    /// <summary>One that asks for what is not built here is shown as far as its config says, with the reason.</summary>
    private static PathReport Lora(PathReport report)
    {
        try
        {
            var config = PeftLoraConfig.Read(report.Path);
            var settings = config.Settings;
            var facts = new LoraFacts(
                settings.Alpha, settings.Rslora, settings.Dropout, settings.Targets.ToString()!,
                settings.RankPattern.ToDictionary(p => p.Pattern, p => p.Value), settings.AlphaPattern.ToDictionary(p => p.Pattern, p => p.Value));
            return report with { Adapter = new AdapterFacts(PeftLoraConfig.Kind, config.BaseModel, settings.Rank, Lora: facts) };
        }
        catch (InvalidInputException e)
        {
            return report with { Adapter = Other(report.Path, PeftLoraConfig.Kind), Remarks = [$"it cannot be loaded: {e.Message}"] };
        }
    }

    private static AdapterFacts Other(string folder, string kind)
    {
        var json = AdapterFolder.ReadConfig(folder);
        return new AdapterFacts(kind, Value<string>(json["base_model_name_or_path"]), json["r"] is JsonValue r && r.TryGetValue<int>(out var rank) ? rank : null);
    }

    private static AdapterFacts WithNumbers(AdapterFacts facts, TensorList tensors)
    {
        if (facts.Lora is not { } lora) return facts with { Parameters = facts.Parameters ?? tensors.Elements };
        var layers = tensors.All.Select(t => LoraFit.LayerOf(t.Name)).Where(layer => layer >= 0).Distinct().Order().ToList();
        return facts with { Layers = layers, Parameters = tensors.Elements, Lora = lora with { Parameters = tensors.Elements } };
    }

    private static T? Value<T>(JsonNode? node)
        where T : class => node is JsonValue value && value.TryGetValue<T>(out var found) ? found : null;
}
