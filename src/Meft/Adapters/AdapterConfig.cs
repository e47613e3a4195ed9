using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Adapters;

/// <summary>The adapter folder's <c>adapter_config.json</c>.</summary>
internal sealed record AdapterConfig
{
    public const string FileName = "adapter_config.json";
    public const string Kind = "MEFT";
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public required string PeftType { get; init; }

    public string? BaseModelNameOrPath { get; init; }

    public string? BaseConfigSha256 { get; init; }

    public required int HiddenSize { get; init; }

    public required int Rank { get; init; }

    public required int Experts { get; init; }

    public required int Probe { get; init; }

    public required int TopK { get; init; }

    public required GateKind Gate { get; init; }

    public required IReadOnlyList<int> Layers { get; init; }

    public string? TemplateSha256 { get; init; }

    public SparseAdapterSpec ToSpec() => new SparseAdapterSpec(Rank, HiddenSize, Experts, Probe, TopK, Gate, Layers).Validated();

    public static AdapterConfig Of(SparseAdapterSpec spec, AdapterIdentity identity) => new()
    {
        PeftType = Kind,
        BaseModelNameOrPath = identity.BaseModel,
        BaseConfigSha256 = identity.BaseConfigHash,
        HiddenSize = spec.HiddenSize,
        Rank = spec.Rank,
        Experts = spec.Experts,
        Probe = spec.Probe,
        TopK = spec.TopK,
        Gate = spec.Gate,
        Layers = spec.Layers,
        TemplateSha256 = identity.TemplateFingerprint,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>Reads the file of a folder.</summary>
    /// <exception cref="InvalidInputException">It is missing, no JSON, or describes no sparse adapter.</exception>
    public static AdapterConfig Read(string folder)
    {
        var path = AdapterFolder.ConfigPath(folder);
        AdapterConfig? config;
        try
        {
            config = JsonSerializer.Deserialize<AdapterConfig>(File.ReadAllText(path), Json);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"not the config of a sparse adapter: {e.Message}", path, $"JSON with peft_type {Kind}", null, e);
        }
        if (config is null || config.PeftType != Kind)
            throw new InvalidInputException($"peft_type is {config?.PeftType ?? "null"}", path, Kind);
        var layers = config.Layers;
        if (layers.Any(l => l < 0) || layers.Zip(layers.Skip(1)).Any(pair => pair.First >= pair.Second))
            throw new InvalidInputException("layers are not distinct indices in ascending order", path, "for example [3, 4, 20]");
        try
        {
            _ = config.ToSpec();
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException(e.Problem, path, e.Allowed, null, e);
        }
        return config;
    }
}
