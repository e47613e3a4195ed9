using System.Globalization;
using System.Text.Json.Nodes;
using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Adapters.Lora;

/// <summary>Typed access to the keys of PEFT's config.</summary>
/// <param name="json">The config.</param>
/// <param name="path">Its file, for error texts.</param>
internal sealed class PeftKeys(JsonObject json, string path)
{
    /// <summary>A whole number within bounds.</summary>
    public int Integer(string key, int least) =>
        json[key] is JsonValue value && value.TryGetValue<int>(out var number) && number >= least
            ? number
            : throw Wrong(key, $"a whole number, at least {least}");

    /// <summary>A finite number; the default where the key is missing.</summary>
    public double Number(string key, double otherwise, Func<double, bool> allows, string allowed)
    {
        if (json[key] is not { } node) return otherwise;
        return node is JsonValue value && value.TryGetValue<double>(out var number) && double.IsFinite(number) && allows(number)
            ? number
            : throw Wrong(key, allowed);
    }

    /// <summary>A truth value; false where the key is missing or null.</summary>
    public bool Flag(string key) => json[key] switch
    {
        null => false,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        _ => throw Wrong(key, "true | false"),
    };

    /// <summary>A text; null where the key is missing or null.</summary>
    public string? Text(string key) => json[key] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => throw Wrong(key, "a text"),
    };

    /// <summary>Module names, or an expression for them; null where there are none.</summary>
    public TargetSelection? Modules(string key) => json[key] switch
    {
        null or JsonArray { Count: 0 } => null,
        JsonArray list => new TargetSelection.Named([.. list.Select(item => TextOf(key, item))]),
        JsonValue value when value.TryGetValue<string>(out var text) && text.Length > 0 =>
            text.Equals(TargetSelection.AllLinear.Name, StringComparison.OrdinalIgnoreCase)
                ? new TargetSelection.AllLinear()
                : new TargetSelection.Pattern(text),
        _ => throw Wrong(key, "a text or a list of texts"),
    };

    /// <summary>One text or a list; empty where there is none.</summary>
    public ValueList<string> Texts(string key) => json[key] switch
    {
        null => [],
        JsonArray list => [.. list.Select(item => TextOf(key, item))],
        JsonValue value when value.TryGetValue<string>(out var text) => text.Length == 0 ? [] : [text],
        _ => throw Wrong(key, "a text or a list of texts"),
    };

    /// <summary>One index or a list; null where there is none.</summary>
    public ValueList<int>? Indices(string key) => json[key] switch
    {
        null or JsonArray { Count: 0 } => null,
        JsonArray list => [.. list.Select(item => IndexOf(key, item))],
        var item => [IndexOf(key, item)],
    };

    /// <summary>Values by patterns of module names; empty where there are none.</summary>
    public ValueList<ModulePattern<T>> Patterns<T>(string key, Func<T, bool> allows, string allowed)
    {
        if (json[key] is not { } node) return [];
        if (node is not JsonObject patterns) throw Wrong(key, "an object");
        return
        [
            .. patterns.Select(p => p.Value is JsonValue value && value.TryGetValue<T>(out var number) && allows(number)
                ? new ModulePattern<T>(p.Key, number)
                : throw Wrong(key, $"an object whose values are each {allowed}")),
        ];
    }

    /// <summary>Refuses a key that asks for what cannot be computed here.</summary>
    public void Refuse(string key, Func<JsonNode, bool> harmless, string allowed)
    {
        if (json[key] is { } node && !harmless(node)) throw Wrong(key, allowed);
    }

    /// <summary>What is wrong with a key's value.</summary>
    public InvalidInputException Wrong(string key, string allowed) => new(
        $"'{key}' is {(json.ContainsKey(key) ? Shortened(json[key]?.ToJsonString() ?? "null") : "missing")}", path, allowed);

    private string TextOf(string key, JsonNode? item) =>
        item is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw Wrong(key, "a text or a list of texts");

    private int IndexOf(string key, JsonNode? item) =>
        item is JsonValue value && value.TryGetValue<int>(out var index) && index >= 0 ? index : throw Wrong(key, "a layer's index or a list of them");

    private static string Shortened(string text) => text.Length <= 80 ? text : string.Create(CultureInfo.InvariantCulture, $"{text[..77]}...");
}
