using Meft.Core.Errors;

namespace Meft.Core.Formats.Gguf;

/// <summary>The metadata of a GGUF file: configuration, tokenizer and description of the model, by key.</summary>
public sealed class GgufMetadata
{
    private readonly string _file;
    private readonly Dictionary<string, GgufMetadataEntry> _entries;

    internal GgufMetadata(string file, Dictionary<string, GgufMetadataEntry> entries)
    {
        _file = file;
        _entries = entries;
    }

    /// <summary>Everything, in the order of the file.</summary>
    public IReadOnlyCollection<GgufMetadataEntry> Entries => _entries.Values;

    /// <summary>Whether there is a value of that key.</summary>
    public bool Contains(string key) => _entries.ContainsKey(key);

    /// <summary>The value of a key, or null.</summary>
    public GgufMetadataEntry? Find(string key) => _entries.GetValueOrDefault(key);

    /// <summary>A text.</summary>
    /// <exception cref="GgufException">There is no such key, or its value has another type.</exception>
    public string GetString(string key) => Get<string>(key, "a string");

    /// <summary>A truth value.</summary>
    /// <exception cref="GgufException">There is no such key, or its value has another type.</exception>
    public bool GetBoolean(string key) => Get<bool>(key, "a boolean");

    /// <summary>An array of texts.</summary>
    /// <exception cref="GgufException">There is no such key, or its value has another type.</exception>
    public IReadOnlyList<string> GetStrings(string key) => Get<string[]>(key, "an array of strings");

    /// <summary>An integer of any width.</summary>
    /// <exception cref="GgufException">There is no such key, its value has another type, or does not fit.</exception>
    public long GetInteger(string key)
    {
        var entry = Entry(key);
        return entry.Value switch
        {
            byte v => v,
            sbyte v => v,
            ushort v => v,
            short v => v,
            uint v => v,
            int v => v,
            long v => v,
            ulong v and <= long.MaxValue => (long)v,
            _ => throw WrongType(entry, "an integer"),
        };
    }

    /// <summary>A finite float, or an integer as one.</summary>
    /// <exception cref="GgufException">There is no such key, its value has another type or is not finite.</exception>
    public double GetNumber(string key)
    {
        var entry = Entry(key);
        var number = entry.Value switch
        {
            float v => v,
            double v => v,
            _ => GetInteger(key),
        };
        return double.IsFinite(number) && Math.Abs(number) <= float.MaxValue ? number : throw WrongType(entry, "a finite number");
    }

    /// <summary>A text, or null where there is no such key.</summary>
    /// <exception cref="GgufException">The value has another type.</exception>
    public string? FindString(string key) => Contains(key) ? GetString(key) : null;

    /// <summary>An integer, or null where there is no such key.</summary>
    /// <exception cref="GgufException">The value has another type, or does not fit.</exception>
    public long? FindInteger(string key) => Contains(key) ? GetInteger(key) : null;

    /// <summary>A number, or null where there is no such key.</summary>
    /// <exception cref="GgufException">The value has another type or is not finite.</exception>
    public double? FindNumber(string key) => Contains(key) ? GetNumber(key) : null;

    /// <summary>An error at the value of a key.</summary>
    internal GgufException Failure(string key, string problem, string? allowed, string? nextStep = null) =>
        new(_file, problem, Find(key)?.Offset, key, allowed, nextStep ?? "Convert the model again, or use its safetensors files");

    private T Get<T>(string key, string allowed)
    {
        var entry = Entry(key);
        return entry.Value is T value ? value : throw WrongType(entry, allowed);
    }

    private GgufMetadataEntry Entry(string key) => Find(key) ?? throw Failure(key, $"the metadata lack '{key}'", null);

    private GgufException WrongType(GgufMetadataEntry entry, string allowed) =>
        Failure(entry.Key, $"the value is of type {entry.Type}{(entry.Value is Array ? "" : $", {FileText.Shown($"{entry.Value}")}")}", allowed);
}
