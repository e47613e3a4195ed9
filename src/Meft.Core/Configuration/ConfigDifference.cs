namespace Meft.Core.Configuration;

/// <summary>A key that two configs say differently.</summary>
/// <param name="Key">The key's full path.</param>
/// <param name="Before">Its value in the first, as YAML; null where it does not apply there.</param>
/// <param name="Now">Its value in the second, as YAML; null where it does not apply there.</param>
public sealed record ConfigDifference(string Key, string? Before, string? Now)
{
    /// <summary>Every key that two configs say differently, in the order of the documentation.</summary>
    public static IReadOnlyList<ConfigDifference> Between(RunConfig before, RunConfig now) =>
    [
        .. ConfigSchema.All.Select(key => new ConfigDifference(key.Path, Value(key, before), Value(key, now))).Where(d => d.Before != d.Now),
    ];

    private static string? Value(ConfigKey key, RunConfig config) => key.AppliesWhen?.Holds(config) == false ? null : key.Write(config);
}
