using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>The errors of a task file, in the order of the file.</summary>
internal sealed class TaskErrors(string file)
{
    private readonly List<(long Order, ConfigError Error)> _errors = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<ConfigError> All => [.. _errors.OrderBy(e => e.Order).Select(e => e.Error)];

    /// <summary>Adds an error at a place; without one it is the file's.</summary>
    public void Add(ConfigPlace? place, string? key, string problem, string? allowed) =>
        _errors.Add((place?.Order ?? 0, new ConfigError(place?.Text ?? file, key, problem, allowed)));
}

/// <summary>A group of a task's keys. A part's group takes from the task's what it does not say itself.</summary>
internal sealed class TaskSection
{
    private readonly Dictionary<string, ConfigEntry> _entries = new(StringComparer.Ordinal);
    private readonly string _prefix;
    private readonly TaskErrors _errors;
    private readonly TaskSection? _around;

    /// <summary>Takes the keys of a group; those that are unknown or stand twice are errors.</summary>
    /// <param name="node">The group; null for one that is not there.</param>
    /// <param name="prefix">What stands before a key in errors: empty or ending with a dot.</param>
    /// <param name="known">The keys it may have.</param>
    /// <param name="errors">Takes errors.</param>
    /// <param name="around">Where keys are looked for that it does not have.</param>
    public TaskSection(ConfigNode? node, string prefix, IReadOnlyList<string> known, TaskErrors errors, TaskSection? around = null)
    {
        (_prefix, _errors, _around) = (prefix, errors, around);
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
        if (type.Read(entry.Value, "", out var value) is not { } problem) return value;
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

    /// <summary>Adds an error at a key.</summary>
    public void Refuse(string key, string problem, string? allowed) => _errors.Add(Find(key)?.Place, _prefix + key, problem, allowed);
}
