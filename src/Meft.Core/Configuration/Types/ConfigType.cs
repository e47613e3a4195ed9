namespace Meft.Core.Configuration.Types;

/// <summary>What values a config key takes: how one is read, checked, described and written.</summary>
/// <typeparam name="T">The value in the program.</typeparam>
internal abstract class ConfigType<T>
{
    /// <summary>What is allowed, as a phrase: <c>a whole number, at least 1</c>.</summary>
    public abstract string Allowed { get; }

    /// <summary>Reads a value that is not null.</summary>
    /// <param name="node">The YAML.</param>
    /// <param name="folder">What relative paths are relative to.</param>
    /// <param name="value">The value, if there is no problem.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public abstract string? Read(ConfigNode node, string folder, out T value);

    /// <summary>Writes a value as YAML on one line.</summary>
    public abstract string Write(T value);

    /// <summary>The problem text of a value of the wrong kind.</summary>
    protected static string IsNo(ConfigNode node, string kind) => $"{node.Describe()} is {kind}";
}
