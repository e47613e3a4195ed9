using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Tokenization.Reading;

/// <summary>
/// A value inside a JSON file that knows where it stands, so that a value of the wrong type is reported by file and path.
/// </summary>
internal readonly struct JsonField
{
    private readonly JsonElement _element;
    private readonly string _file;
    private readonly string _path;

    private JsonField(JsonElement element, string file, string path)
    {
        _element = element;
        _file = file;
        _path = path;
    }

    /// <summary>Parses a whole file.</summary>
    /// <exception cref="TokenizerFileException">The file cannot be read or is not JSON.</exception>
    public static JsonField ReadFile(string file)
    {
        try
        {
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(file));
            return new JsonField(document.RootElement.Clone(), file, "");
        }
        catch (JsonException error)
        {
            throw new TokenizerFileException(file, $"not valid JSON: {JsonProblem.Of(error)}", cause: error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerFileException(file, $"cannot be read: {error.Message}", cause: error);
        }
    }

    /// <summary>The file this value stands in.</summary>
    public string File => _file;

    /// <summary>Whether the value is absent or null.</summary>
    public bool IsMissing => _element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    /// <summary>Whether the value is a string.</summary>
    public bool IsText => _element.ValueKind == JsonValueKind.String;

    /// <summary>Whether the value is an object.</summary>
    public bool IsObject => _element.ValueKind == JsonValueKind.Object;

    /// <summary>A member of an object; missing where the object has none of that name.</summary>
    public JsonField this[string name]
    {
        get
        {
            if (!IsObject) throw WrongType("an object");
            return new JsonField(Find(name), _file, $"{_path}.{name}");
        }
    }

    /// <summary>The value as text.</summary>
    public string AsText()
    {
        if (!IsText) throw WrongType("a string");
        try
        {
            return _element.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new TokenizerFileException(_file, $"{Place} is not valid Unicode text", cause: error);
        }
    }

    /// <summary>The value as text, or null where it is missing.</summary>
    public string? AsTextOrNull() => IsMissing ? null : AsText();

    /// <summary>The value as a whole number of 32 bits.</summary>
    public int AsInteger() => _element.ValueKind == JsonValueKind.Number && _element.TryGetInt32(out var value)
        ? value
        : throw WrongType("a whole number");

    /// <summary>The value as true or false; a default where it is missing.</summary>
    public bool AsBoolean(bool whereMissing) => IsMissing ? whereMissing : _element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw WrongType("true or false"),
    };

    /// <summary>The elements of an array.</summary>
    public IEnumerable<JsonField> Items()
    {
        if (_element.ValueKind != JsonValueKind.Array) throw WrongType("an array");
        return Enumerate(this);

        static IEnumerable<JsonField> Enumerate(JsonField array)
        {
            var index = 0;
            foreach (var item in array._element.EnumerateArray())
                yield return new JsonField(item, array._file, $"{array._path}[{index++}]");
        }
    }

    /// <summary>The members of an object, in the file's order.</summary>
    public IEnumerable<(string Name, JsonField Value)> Members()
    {
        if (!IsObject) throw WrongType("an object");
        return Enumerate(this);

        static IEnumerable<(string, JsonField)> Enumerate(JsonField container)
        {
            foreach (var member in container._element.EnumerateObject())
            {
                var name = container.NameOf(member);
                yield return (name, new JsonField(member.Value, container._file, $"{container._path}.{name}"));
            }
        }
    }

    /// <summary>An error about this value.</summary>
    public TokenizerFileException Error(string problem, string? allowed = null) => new(_file, $"{Place} {problem}", allowed);

    private string Place => _path.Length == 0 ? "the whole file" : _path.TrimStart('.');

    private TokenizerFileException WrongType(string expected) => IsMissing
        ? Error($"is missing; it should be {expected}")
        : Error($"should be {expected}, not {Abridged(_element.GetRawText())}");

    /// <summary>A member's value; to compare its name with those that are there is to read them.</summary>
    private JsonElement Find(string name)
    {
        try
        {
            return _element.TryGetProperty(name, out var value) ? value : default;
        }
        catch (InvalidOperationException error)
        {
            throw KeyIsNoText(error);
        }
    }

    private string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException error)
        {
            throw KeyIsNoText(error);
        }
    }

    private TokenizerFileException KeyIsNoText(InvalidOperationException error) =>
        new(_file, $"{Place} has a key that is not valid Unicode text", cause: error);

    private static string Abridged(string text) => text.Length <= 60 ? text : text[..57] + "...";
}
