namespace Meft.Core.Configuration;

/// <summary>The errors of a file, in its order.</summary>
/// <param name="file">The file as errors name it.</param>
internal sealed class ConfigErrors(string file)
{
    private readonly List<(long Order, ConfigError Error)> _errors = [];

    /// <summary>All of them, those of overrides last.</summary>
    public IReadOnlyList<ConfigError> All => [.. _errors.OrderBy(e => e.Order).Select(e => e.Error)];

    /// <summary>Adds an error at a place; without one it is the file's.</summary>
    public void Add(ConfigPlace? place, string? key, string problem, string? allowed) =>
        Add(place?.Order ?? 0, new ConfigError(place?.Text ?? file, key, problem, allowed));

    /// <summary>Adds an error that has its text already.</summary>
    /// <param name="order">Sorts it, as <see cref="ConfigPlace.Order"/>.</param>
    /// <param name="error">The error.</param>
    public void Add(long order, ConfigError error) => _errors.Add((order, error));
}
