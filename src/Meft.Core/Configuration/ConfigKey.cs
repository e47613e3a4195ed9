using Meft.Core.Configuration.Types;

namespace Meft.Core.Configuration;

/// <summary>When a key means something: <paramref name="Text"/> says it as <c>method.kind: meft</c>.</summary>
internal sealed record ConfigCondition(string Text, Func<RunConfig, bool> Holds);

/// <summary>A key of the config: the one place that its reading, error texts, documentation and writing come from.</summary>
internal abstract class ConfigKey(string path, string doc)
{
    /// <summary>The full path, for example <c>method.rank</c>.</summary>
    public string Path { get; } = path;

    /// <summary>The group the key stands in, empty at the top.</summary>
    public string Section { get; } = path.Contains('.', StringComparison.Ordinal) ? path[..path.IndexOf('.', StringComparison.Ordinal)] : "";

    /// <summary>The key's own name.</summary>
    public string Leaf { get; } = path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..];

    /// <summary>What the key is for, in one line.</summary>
    public string Doc { get; } = doc;

    /// <summary>Whether a config without the key is refused.</summary>
    public bool Required { get; init; }

    /// <summary>When the key means something; null for always.</summary>
    public ConfigCondition? AppliesWhen { get; init; }

    /// <summary>Names that the same setting has in other tools, for suggestions.</summary>
    public IReadOnlyList<string> OtherNames { get; init; } = [];

    /// <summary>What is allowed, as a phrase.</summary>
    public abstract string Allowed { get; }

    /// <summary>The default as the documentation writes it; null for a required key.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Whether a value is what the key would have had in a config anyway.</summary>
    public abstract bool IsDefault(object? value, RunConfig config);

    /// <summary>Reads a value; returns what is wrong with it, or null.</summary>
    public abstract string? Read(ConfigNode node, string folder, out object? value);

    /// <summary>The key's value in a config, as YAML on one line.</summary>
    public abstract string Write(RunConfig config);
}

/// <summary>A key with its type.</summary>
/// <param name="path">The full path.</param>
/// <param name="type">What values it takes.</param>
/// <param name="defaultValue">Its value where the config does not say it.</param>
/// <param name="get">Its value in a config.</param>
/// <param name="doc">What it is for.</param>
internal sealed class ConfigKey<T>(string path, ConfigType<T> type, T defaultValue, Func<RunConfig, T> get, string doc) : ConfigKey(path, doc)
{
    /// <summary>Its value where the config does not say it.</summary>
    public T Default { get; } = defaultValue;

    /// <summary>The default in a config, where it depends on other keys; null: it does not.</summary>
    public Func<RunConfig, T>? DefaultIn { get; init; }

    /// <summary>Replaces the default in the documentation where it depends on other keys.</summary>
    public string? DefaultNote { get; init; }

    /// <inheritdoc/>
    public override string Allowed => type.Allowed;

    /// <inheritdoc/>
    public override string? DefaultText => Required ? null : DefaultNote ?? WriteValue(Default);

    /// <inheritdoc/>
    public override bool IsDefault(object? value, RunConfig config) => Equals(value, DefaultIn is { } other ? other(config) : Default);

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out object? value)
    {
        var problem = type.Read(node, folder, out var read);
        value = problem is null ? read : Default;
        return problem;
    }

    /// <inheritdoc/>
    public override string Write(RunConfig config) => WriteValue(get(config));

    private string WriteValue(T value) => value is null ? "null" : type.Write(value);
}
