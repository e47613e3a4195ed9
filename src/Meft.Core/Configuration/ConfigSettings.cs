namespace Meft.Core.Configuration;

/// <summary>The settings that a file and its overrides give, by key, with every error found on the way.</summary>
internal sealed class ConfigSettings(string file, string folder)
{
    private readonly Dictionary<string, ConfigEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<ConfigKey, object?> _values = [];
    private readonly HashSet<ConfigKey> _refused = [];
    private readonly HashSet<ConfigKey> _ofDocument = [];
    private readonly List<(long Order, ConfigError Error)> _errors = [];

    /// <summary>All errors, in the order of the file, those of overrides last.</summary>
    public IReadOnlyList<ConfigError> Errors => [.. _errors.OrderBy(e => e.Order).Select(e => e.Error)];

    /// <summary>The errors so far, as they were found, each with what sorts it.</summary>
    public IReadOnlyList<(long Order, ConfigError Error)> Found => _errors;

    /// <summary>Takes the keys of a document. A key given before is replaced if <paramref name="replace"/> is set, else an error.</summary>
    public void Add(ConfigNode? document, bool replace)
    {
        _ofDocument.Clear();
        if (document is null or ConfigScalar { IsNull: true }) return;
        if (document is ConfigMapping mapping) AddSection("", mapping, replace);
        else Refuse(document.Place, null, $"{document.Describe()} stands where the config's keys are expected", "lines of the form key: value");
    }

    /// <summary>Adds an error.</summary>
    public void Refuse(ConfigPlace place, string? key, string problem, string? allowed) =>
        _errors.Add((place.Order, new ConfigError(place.Text, key, problem, allowed)));

    /// <summary>Reads every setting by the schema.</summary>
    public void ReadValues()
    {
        foreach (var key in ConfigSchema.All)
        {
            if (!_entries.TryGetValue(key.Path, out var entry))
            {
                if (key.Required) Refuse(new ConfigPlace(file, 0), key.Path, "is missing", key.Allowed);
                continue;
            }
            if (key.Read(entry.Value, folder, out var value) is { } problem)
            {
                Refuse(entry.Place, key.Path, problem, key.Allowed);
                _refused.Add(key);
            }
            _values[key] = value;
        }
    }

    /// <summary>Whether the key was given, with a value that is not null.</summary>
    public bool IsGiven(ConfigKey key) => _entries.ContainsKey(key.Path);

    /// <summary>The key's value, or its default where it was not given or was refused.</summary>
    public T Get<T>(ConfigKey<T> key) => _values.TryGetValue(key, out var value) ? (T)value! : key.Default;

    /// <summary>Applies rules to the finished config.</summary>
    public void Check(RunConfig config, IEnumerable<ConfigRule> rules)
    {
        foreach (var rule in rules)
        {
            if (rule.Keys.Any(_refused.Contains) || rule.Problem(config) is not { } problem) continue;
            var key = rule.Keys.FirstOrDefault(IsGiven) ?? rule.Keys[0];
            Refuse(_entries.TryGetValue(key.Path, out var entry) ? entry.Place : new ConfigPlace(file, 0), key.Path, problem, rule.Allowed);
        }
    }

    /// <summary>Refuses settings that mean nothing beside the others, unless they say what is so anyway.</summary>
    public void CheckApplicable(RunConfig config)
    {
        foreach (var (key, value) in _values)
        {
            if (key.AppliesWhen is not { } condition || condition.Holds(config) || key.IsDefault(value, config) || _refused.Contains(key)) continue;
            var entry = _entries[key.Path];
            Refuse(entry.Place, key.Path, $"{entry.Value.Describe()} would have no effect: the key is for {condition.Text}", "leaving the key out");
        }
    }

    private void AddSection(string section, ConfigMapping mapping, bool replace)
    {
        var seen = new Dictionary<string, ConfigPlace>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var path = section.Length == 0 ? entry.Key : $"{section}.{entry.Key}";
            if (!seen.TryAdd(entry.Key, entry.Place)) Refuse(entry.Place, path, $"stands twice, first at {seen[entry.Key].Text}", "each key once");
            else if (ConfigSchema.Find(path) is { } key) AddEntry(key, entry, replace);
            else if (section.Length == 0 && ConfigSchema.IsSection(entry.Key)) AddNested(entry, replace);
            else RefuseUnknown(section, path, entry);
        }
    }

    private void AddEntry(ConfigKey key, ConfigEntry entry, bool replace)
    {
        if (entry.Value is ConfigScalar { IsNull: true })
        {
            if (replace) _entries.Remove(key.Path);
        }
        else if (replace)
        {
            _entries[key.Path] = entry;
            _ofDocument.Add(key);
            // One way to say when to stop takes the place of the other way in what it is laid over.
            if (key == ConfigSchema.MaxSteps) RemoveBelow(ConfigSchema.Epochs, entry.Place);
            if (key == ConfigSchema.Epochs) RemoveBelow(ConfigSchema.MaxSteps, entry.Place);
        }
        else if (!_entries.TryAdd(key.Path, entry))
        {
            Refuse(entry.Place, key.Path, $"stands twice, first at {_entries[key.Path].Place.Text}", "each key once");
        }
    }

    /// <summary>Of two overrides on the command line neither is laid over the other: both together are a contradiction.</summary>
    private void RemoveBelow(ConfigKey key, ConfigPlace place)
    {
        if (_entries.TryGetValue(key.Path, out var entry) && !_ofDocument.Contains(key) && !(entry.Place.IsOverride && place.IsOverride)) _entries.Remove(key.Path);
    }

    private void AddNested(ConfigEntry entry, bool replace)
    {
        if (entry.Value is ConfigMapping inner) AddSection(entry.Key, inner, replace);
        else if (entry.Value is not ConfigScalar { IsNull: true })
            Refuse(entry.Place, entry.Key, $"{entry.Value.Describe()} stands where a group of keys is expected", KeysOf(entry.Key));
    }

    private void RefuseUnknown(string section, string path, ConfigEntry entry)
    {
        var leaf = path[(path.LastIndexOf('.') + 1)..];
        var group = section.Length == 0 && entry.Value is ConfigMapping ? NearestName.IfClose(entry.Key, Sections) : null;
        var nearest = group ?? ConfigSchema.IfClose(section, leaf);
        Refuse(entry.Place, path, nearest is null ? "unknown key" : $"unknown key; the nearest known one is {nearest}", KeysOf(section));
    }

    private static IEnumerable<string> Sections => ConfigSchema.All.Select(k => k.Section).Where(s => s.Length > 0).Distinct();

    private static string KeysOf(string section)
    {
        var keys = ConfigSchema.All.Where(k => k.Section == section).Select(k => k.Leaf);
        return (section.Length == 0 ? "" : $"under {section}: ") + string.Join(", ", section.Length == 0 ? keys.Concat(Sections) : keys);
    }
}
