using Meft.Core.Configuration.Types;

namespace Meft.Core.Configuration;

/// <summary>A group of a file's keys. It takes from the group around it, where there is one, what it does not say itself.</summary>
internal sealed class ConfigGroup
{
    private readonly Dictionary<string, ConfigEntry> _entries = new(StringComparer.Ordinal);
    private readonly string _prefix;
    private readonly ConfigErrors _errors;
    private readonly ConfigGroup? _around;
    private readonly ConfigPlace? _place;

    /// <summary>Takes the keys of a group; those that are unknown or stand twice are errors.</summary>
    /// <param name="node">The group; null for one that is not there.</param>
    /// <param name="prefix">What stands before a key in errors: empty or ending with a dot.</param>
    /// <param name="known">The keys it may have.</param>
    /// <param name="errors">Takes errors.</param>
    /// <param name="around">Where keys are looked for that it does not have.</param>
    public ConfigGroup(ConfigNode? node, string prefix, IReadOnlyList<string> known, ConfigErrors errors, ConfigGroup? around = null)
    {
        (_prefix, _errors, _around) = (prefix, errors, around);
        // What a file as a whole lacks stands on no line of it.
        _place = prefix.Length == 0 ? null : node?.Place;
        if (node is null or ConfigScalar { IsNull: true }) return;
        if (node is not ConfigMapping mapping)
        {
            var name = prefix.Length == 0 ? null : prefix.TrimEnd('.');
            errors.Add(node.Place, name, $"{node.Describe()} stands where a group of keys is expected", string.Join(", ", known));
            return;
        }
        foreach (var entry in mapping.Entries)
        {
            if (!known.Contains(entry.Key))
            {
                var nearest = NearestName.IfClose(entry.Key, known) is { } meant ? $"; the nearest known one is {meant}" : "";
                errors.Add(entry.Place, prefix + entry.Key, $"unknown key{nearest}", string.Join(", ", known));
            }
            else if (!_entries.TryAdd(entry.Key, entry))
            {
                errors.Add(entry.Place, prefix + entry.Key, $"stands twice, first at {_entries[entry.Key].Place.Text}", "each key once");
            }
        }
    }

    /// <summary>What relative paths are relative to; empty where none are read.</summary>
    public string Folder { get; init; } = "";

    /// <summary>The entries that the group itself has, without those of null.</summary>
    public IEnumerable<ConfigEntry> Own => _entries.Values.Where(entry => entry.Value is not ConfigScalar { IsNull: true });

    /// <summary>The entry of a key, its own or that of the group around; null where there is none or its value is null.</summary>
    public ConfigEntry? Find(string key)
    {
        if (!_entries.TryGetValue(key, out var entry)) return _around?.Find(key);
        return entry.Value is ConfigScalar { IsNull: true } ? null : entry;
    }

    /// <summary>The value of a key, or what it is otherwise.</summary>
    public T Read<T>(string key, ConfigType<T> type, T otherwise)
    {
        if (Find(key) is not { } entry) return otherwise;
        if (type.Read(entry.Value, Folder, out var value) is not { } problem) return value;
        Refuse(key, problem, type.Allowed);
        return otherwise;
    }

    /// <summary>As <see cref="Read{T}"/> with null for no value.</summary>
    public T? ReadOrNull<T>(string key, ConfigType<T> type) where T : class => Read<T?>(key, type!, null);

    /// <summary>As <see cref="Read{T}"/> with null for no value; for keys that do not take 0.</summary>
    public int? ReadOrNull(string key, ConfigType<int> type)
    {
        var value = Read(key, type, 0);
        return value == 0 ? null : value;
    }

    /// <summary>As <see cref="ReadOrNull{T}"/>, where a key that is not there is an error.</summary>
    public T? ReadRequired<T>(string key, ConfigType<T> type) where T : class
    {
        if (Find(key) is null) Refuse(key, "is missing", type.Allowed);
        return ReadOrNull(key, type);
    }

    /// <summary>Adds an error at a key, or at the group where the key is not there.</summary>
    public void Refuse(string key, string problem, string? allowed) => _errors.Add(Find(key)?.Place ?? _place, _prefix + key, problem, allowed);
}
