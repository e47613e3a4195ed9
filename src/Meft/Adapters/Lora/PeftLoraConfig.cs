using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Adapters.Lora;

/// <summary>PEFT's <c>adapter_config.json</c> of a LoRA adapter. What it holds beyond <see cref="Settings"/> is kept as it is.</summary>
public sealed class PeftLoraConfig
{
    /// <summary>The <c>peft_type</c> of these adapters.</summary>
    public const string Kind = "LORA";

    /// <summary>Every key that PEFT 0.21 writes, with what it writes for an adapter without extras; those of the settings are filled in.</summary>
    private const string Template = """
        {
          "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null, "auto_mapping": null, "base_model_name_or_path": null,
          "bias": "none", "corda_config": null, "ensure_weight_tying": false, "eva_config": null, "exclude_modules": null,
          "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true, "kasa_config": null, "layer_replication": null,
          "layers_pattern": null, "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 8, "lora_bias": false, "lora_dropout": 0.0,
          "lora_ga_config": null, "megatron_config": null, "megatron_core": "megatron.core", "modules_to_save": null,
          "monteclora_config": null, "peft_type": "LORA", "peft_version": "0.21.2", "qalora_group_size": 16, "r": 8, "rank_pattern": {},
          "revision": null, "target_modules": null, "target_parameters": null, "task_type": "CAUSAL_LM", "trainable_token_indices": null,
          "use_bdlora": null, "use_dora": false, "use_qalora": false, "use_rslora": false, "velora_config": null
        }
        """;

    /// <summary>Keys that change what is computed, or what the base must be, in ways that are not built here, when they have a value.</summary>
    private static readonly string[] Extras =
    [
        "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "lora_bias", "modules_to_save", "monteclora_config",
        "target_parameters", "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora", "velora_config",
    ];

    /// <summary>Ways to draw start values that leave the base as it is; the others replace its weights.</summary>
    private static readonly string[] PlainStarts = ["gaussian", "eva", "orthogonal"];

    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly JsonObject _json;
    private readonly string? _folder;

    private PeftLoraConfig(JsonObject json, LoraSettings settings, string? folder) => (_json, Settings, _folder) = (json, settings, folder);

    /// <summary>Which modules are adapted, and how.</summary>
    public LoraSettings Settings { get; }

    /// <summary>The base it was trained on, as the config names it; null where it does not.</summary>
    public string? BaseModel => _json["base_model_name_or_path"]?.GetValue<string>();

    /// <summary>What to do where the adapter does not fit, for error texts.</summary>
    internal string BaseAdvice => $"use the base it was trained on{(BaseModel is null ? "" : $": {BaseModel}")}";

    /// <summary>The config of a new adapter.</summary>
    public static PeftLoraConfig Create(LoraSettings settings, string baseModel)
    {
        var json = JsonNode.Parse(Template)!.AsObject();
        json["base_model_name_or_path"] = baseModel;
        json["r"] = settings.Rank;
        json["lora_alpha"] = NumberOf(settings.Alpha);
        json["lora_dropout"] = JsonNode.Parse(settings.Dropout == 0 ? "0.0" : settings.Dropout.ToString("R", CultureInfo.InvariantCulture));
        json["use_rslora"] = settings.Rslora;
        json["target_modules"] = settings.Targets is TargetSelection.Named named
            ? new JsonArray([.. named.Names.Select(name => JsonValue.Create(name))])
            : settings.Targets.ToString();
        json["layers_to_transform"] = settings.Layers is { } layers ? new JsonArray([.. layers.Select(l => JsonValue.Create(l))]) : null;
        json["rank_pattern"] = new JsonObject(settings.RankPattern.Select(p => KeyValuePair.Create(p.Pattern, (JsonNode?)p.Value)));
        json["alpha_pattern"] = new JsonObject(settings.AlphaPattern.Select(p => KeyValuePair.Create(p.Pattern, (JsonNode?)NumberOf(p.Value))));
        return new PeftLoraConfig(json, settings, null);
    }

    /// <summary>Reads the file of a folder.</summary>
    /// <exception cref="InvalidInputException">It is missing, no JSON, or describes no LoRA adapter that can be computed with.</exception>
    public static PeftLoraConfig Read(string folder)
    {
        var json = AdapterFolder.ReadConfig(folder);
        var keys = new PeftKeys(json, AdapterFolder.ConfigPath(folder));
        if (keys.Text("peft_type") != Kind) throw keys.Wrong("peft_type", Kind);
        _ = keys.Text("base_model_name_or_path");
        foreach (var key in Extras) keys.Refuse(key, IsEmpty, "null, which is all that is built here");
        keys.Refuse("bias", node => node.ToJsonString() == "\"none\"", "none, which is all that is built here");
        keys.Refuse(
            "init_lora_weights",
            node => node.GetValueKind() is JsonValueKind.True or JsonValueKind.False || (node is JsonValue v && v.TryGetValue<string>(out var s) && PlainStarts.Contains(s)),
            $"true | false | {string.Join(" | ", PlainStarts)}: other start values replace weights of the base, which is not built here");
        var settings = new LoraSettings
        {
            Rank = keys.Integer("r", 1),
            Alpha = keys.Number("lora_alpha", 8, _ => true, "a finite number"),
            Rslora = keys.Flag("use_rslora"),
            Dropout = keys.Number("lora_dropout", 0, p => p is >= 0 and < 1, "a number at least 0 and below 1"),
            Targets = keys.Modules("target_modules") ?? throw keys.Wrong("target_modules", "a list of module names, or a regular expression for them"),
            Excluded = keys.Modules("exclude_modules"),
            Layers = keys.Indices("layers_to_transform"),
            LayersPattern = keys.Texts("layers_pattern"),
            RankPattern = keys.Patterns<int>("rank_pattern", rank => rank >= 1, "a whole number, at least 1"),
            AlphaPattern = keys.Patterns<double>("alpha_pattern", double.IsFinite, "a finite number"),
        };
        return new PeftLoraConfig(json, settings, folder);
    }

    /// <summary>The maps of a base model that are adapted.</summary>
    /// <exception cref="InvalidInputException">There is none, or the config asks for one that cannot be adapted.</exception>
    public LoraSpec ResolveFor(ModelConfig baseConfig)
    {
        try
        {
            return Settings.Resolve(baseConfig);
        }
        catch (InvalidInputException e) when (_folder is not null)
        {
            throw new InvalidInputException(
                $"the adapter does not fit the base model: {e.Message}", AdapterFolder.ConfigPath(_folder), null, BaseAdvice, e);
        }
    }

    /// <summary>The file's text, laid out as PEFT writes it.</summary>
    public string ToJson() => _json.ToJsonString(Json);

    private static bool IsEmpty(JsonNode node) => node switch
    {
        JsonArray array => array.Count == 0,
        JsonObject value => value.Count == 0,
        _ => node.GetValueKind() == JsonValueKind.False,
    };

    /// <summary>A number without a fraction is written without one, as PEFT's own type asks for.</summary>
    private static JsonValue NumberOf(double value) =>
        value == Math.Floor(value) && Math.Abs(value) < 1e15 ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
