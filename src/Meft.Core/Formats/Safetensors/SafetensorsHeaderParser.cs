using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Formats.Safetensors;

/// <summary>
/// Parses the JSON of a header: an object of tensors, <c>{"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}</c> each, and
/// optionally <c>"__metadata__"</c>, an object of strings. Other keys of a tensor are ignored, as the reference does.
/// </summary>
internal ref struct SafetensorsHeaderParser
{
    private readonly string _path;
    private Utf8JsonReader _reader;

    public SafetensorsHeaderParser(string path, ReadOnlySpan<byte> json, int maxDepth)
    {
        _path = path;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
    }

    /// <summary>Parses the whole header.</summary>
    /// <exception cref="SafetensorsException">The JSON has another form.</exception>
    /// <exception cref="JsonException">This is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A string holds half a surrogate pair.</exception>
    public void ParseAll(Dictionary<string, string> metadata, List<DeclaredTensor> tensors)
    {
        _reader.Read();
        Expect(JsonTokenType.StartObject, "the header", "an object");
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (NextProperty(null, names) is { } name)
        {
            if (name == SafetensorsHeader.MetadataKey) ParseMetadata(metadata);
            else tensors.Add(ParseTensor(name));
        }
        // Anything but white space after the object makes this throw.
        _reader.Read();
    }

    private void ParseMetadata(Dictionary<string, string> metadata)
    {
        if (_reader.TokenType == JsonTokenType.Null) return;
        Expect(JsonTokenType.StartObject, SafetensorsHeader.MetadataKey, "an object of strings");
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (NextProperty(null, keys) is { } key)
        {
            Expect(JsonTokenType.String, $"{SafetensorsHeader.MetadataKey}.{FileText.Shown(key)}", "a string");
            metadata.Add(key, _reader.GetString()!);
        }
    }

    private DeclaredTensor ParseTensor(string name)
    {
        Expect(JsonTokenType.StartObject, "the description", "an object", name);
        TensorDType? dtype = null;
        List<ulong>? shape = null, offsets = null;
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (NextProperty(name, keys) is { } key)
        {
            switch (key)
            {
                case "dtype": dtype = ParseDType(name); break;
                case "shape": shape = ParseNumbers(key, name); break;
                case "data_offsets": offsets = ParseNumbers(key, name); break;
                default: _reader.Skip(); break;
            }
        }
        if (dtype is null) throw Malformed("there is no dtype", null, name);
        if (shape is null) throw Malformed("there is no shape", null, name);
        if (offsets is null) throw Malformed("there are no data_offsets", null, name);
        if (offsets.Count != 2) throw Malformed($"data_offsets has {offsets.Count} numbers", "two", name);
        return new DeclaredTensor(name, dtype.Value, shape, offsets[0], offsets[1]);
    }

    private TensorDType ParseDType(string tensor)
    {
        Expect(JsonTokenType.String, "dtype", "a string", tensor);
        var text = _reader.GetString()!;
        if (TensorDTypeExtensions.TryParse(text, out var dtype)) return dtype;
        var known = string.Join(", ", Enum.GetValues<TensorDType>().Select(d => d.FileName()));
        throw Malformed($"the dtype '{(text.Length > 20 ? text[..20] + "…" : text)}' is unknown", known, tensor);
    }

    private List<ulong> ParseNumbers(string key, string tensor)
    {
        Expect(JsonTokenType.StartArray, key, "an array of unsigned integers", tensor);
        var numbers = new List<ulong>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(JsonTokenType.Number, $"{key}[{numbers.Count}]", "an unsigned integer", tensor);
            if (!_reader.TryGetUInt64(out var number))
                throw Malformed($"{key}[{numbers.Count}] is not an unsigned integer of 64 bits", null, tensor);
            numbers.Add(number);
        }
        return numbers;
    }

    /// <summary>Moves to the value of the object's next property and gives its name; null at the object's end.</summary>
    private string? NextProperty(string? tensor, HashSet<string> seen)
    {
        _reader.Read();
        if (_reader.TokenType == JsonTokenType.EndObject) return null;
        var name = _reader.GetString()!;
        if (!seen.Add(name)) throw Malformed($"the key '{FileText.Shown(name)}' stands twice", "each key once", tensor ?? name);
        _reader.Read();
        return name;
    }

    private readonly void Expect(JsonTokenType type, string what, string allowed, string? tensor = null)
    {
        if (_reader.TokenType != type) throw Malformed($"{what} is of JSON type {_reader.TokenType}", allowed, tensor);
    }

    private readonly SafetensorsException Malformed(string problem, string? allowed, string? tensor) => new(
        _path, SafetensorsError.InvalidHeaderDeserialization,
        $"at byte {_reader.TokenStartIndex} of the header, {problem}", tensor, allowed);
}
