using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>
/// Typed access to the keys of a JSON object; a value of the wrong kind is an error that names the file, the key and the value.
/// A key whose value is null counts as absent.
/// </summary>
internal sealed class ConfigObject
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private readonly JsonElement _object;
    private readonly string _prefix;

    private ConfigObject(JsonElement value, string location, string prefix)
    {
        _object = value;
        Location = location;
        _prefix = prefix;
    }

    /// <summary>The file, for error texts.</summary>
    public string Location { get; }

    public static ConfigObject Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                e is FileNotFoundException or DirectoryNotFoundException ? "the file does not exist" : "the file cannot be read", path,
                nextStep: "a model is a folder with config.json and its weights", cause: e);
        }
        return Parse(bytes, path);
    }

    public static ConfigObject Parse(ReadOnlyMemory<byte> json, string location)
    {
        try
        {
            using var document = JsonDocument.Parse(json.Span.StartsWith(ByteOrderMark) ? json[3..] : json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new InvalidInputException($"the file holds a JSON {document.RootElement.ValueKind}", location, "a JSON object");
            RequireText(document.RootElement);
            return new ConfigObject(document.RootElement.Clone(), location, "");
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidInputException("a text in the file is no Unicode: it holds bytes that are not UTF-8, or half a surrogate pair", location, "UTF-8", cause: e);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"the file is not valid JSON: {JsonProblem.Of(e)}", location, "a JSON object, each key once", "Copy or download the file again", e);
        }
    }

    /// <summary>Every key with its value, null values included.</summary>
    public IEnumerable<(string Key, JsonElement Value)> Entries => _object.EnumerateObject().Select(property => (property.Name, property.Value));

    public bool Has(string key) => Find(key) is not null;

    /// <summary>Whether the key is written at all, be it as null.</summary>
    public bool Mentions(string key) => _object.TryGetProperty(key, out _);

    public int? Int(string key)
    {
        if (Find(key) is not { } value) return null;
        return AsInt(key, value);
    }

    public int RequiredInt(string key) => Int(key) ?? throw new InvalidInputException(
        $"'{_prefix}{key}' is missing", Location, "a whole number", "copy the model's own config.json again");

    public double? Number(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)) return number;
        throw Wrong(key, value, "a finite number");
    }

    public bool? Bool(string key)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, value, "true or false");
    }

    public string? String(string key)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(key, value, "a text");
    }

    public IReadOnlyList<string>? Strings(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String))
            throw Wrong(key, value, "a list of texts");
        return [.. value.EnumerateArray().Select(v => v.GetString()!)];
    }

    /// <summary>One whole number or a list of them; empty where the key is absent.</summary>
    public IReadOnlyList<int> Ints(string key)
    {
        if (Find(key) is not { } value) return [];
        return value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(v => AsInt(key, v))] : [AsInt(key, value)];
    }

    /// <summary>A list of finite numbers; null where the key is absent.</summary>
    public IReadOnlyList<double>? Numbers(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, "a list of numbers");
        return [.. value.EnumerateArray().Select(v =>
            v.ValueKind == JsonValueKind.Number && v.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw Wrong(key, v, "a list of finite numbers"))];
    }

    public ConfigObject? Object(string key)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ConfigObject(value, Location, $"{_prefix}{key}.")
            : throw Wrong(key, value, "a JSON object");
    }

    public InvalidInputException Wrong(string key, string problem, string allowed) => new($"'{_prefix}{key}' {problem}", Location, allowed);

    /// <summary>A value that may well be right and that nothing here computes.</summary>
    public UnsupportedModelException Unsupported(string key, string problem, string allowed) => new($"'{_prefix}{key}' {problem}", Location, allowed);

    /// <summary>A value that nothing here reads.</summary>
    public UnsupportedModelException Unread(string key, JsonElement value, string why, string allowed) => new(
        $"'{_prefix}{key}' is {Shown(value)}, which {why}", Location, allowed, "remove the key from config.json if it means nothing for the model");

    /// <summary>A value that says that the weights are packed by another quantiser.</summary>
    public UnsupportedModelException Packed(string key, JsonElement value) => new(
        $"'{_prefix}{key}' is {Shown(value)}: the weights of this checkpoint are packed already", Location, "weights in float32, float16 or bfloat16",
        "take the unquantised model with quantize: nf4 or int8, or a .gguf file of it");

    /// <summary>A value as an error text shows it: one line, not a long one.</summary>
    private static string Shown(JsonElement value)
    {
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length > 60 ? text[..60] + "…" : text;
    }

    /// <summary>Reads every name and text once: those that are no Unicode come to light only then.</summary>
    /// <exception cref="InvalidOperationException">There is one.</exception>
    private static void RequireText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray()) RequireText(item);
                break;
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    _ = property.Name;
                    RequireText(property.Value);
                }
                break;
        }
    }

    private InvalidInputException Wrong(string key, JsonElement value, string allowed) => Wrong(key, $"is {Shown(value)}", allowed);

    private int AsInt(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Wrong(key, value, "a whole number");

    private JsonElement? Find(string key) =>
        _object.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
