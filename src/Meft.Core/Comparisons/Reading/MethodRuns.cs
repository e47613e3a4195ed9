using Meft.Core.Configuration;

namespace Meft.Core.Comparisons.Reading;

/// <summary>
/// Builds runs by the rules of a run's config. An error at a key that methods share waits until all are built: it is told once where all have it, else
/// with the names of those that do.
/// </summary>
/// <param name="file">The config file as errors name it.</param>
/// <param name="folder">What relative paths are relative to.</param>
/// <param name="errors">Takes errors.</param>
internal sealed class MethodRuns(string file, string folder, ConfigErrors errors)
{
    private readonly OrderedDictionary<(long Order, ConfigError Error), List<string>> _shared = [];
    private int _built;

    /// <summary>The keys that methods share, later ones over earlier ones.</summary>
    public required IReadOnlyList<ConfigMapping> Layers { get; init; }

    /// <summary>Where they stand, for errors of what is missing.</summary>
    public required string PlaceOfRun { get; init; }

    /// <summary>Whether they name files to train on; else one stands in for the rows that will be made.</summary>
    public required bool HasTrainFile { get; init; }

    /// <summary>Builds a method's run, with its own keys over the shared ones.</summary>
    /// <param name="own">Its own keys.</param>
    /// <param name="name">Its name.</param>
    /// <param name="output">Its run folder.</param>
    /// <param name="prefix">What stands before its keys in errors.</param>
    /// <returns>The run, with defaults in place of errors, and whether a learning rate is given.</returns>
    public (RunConfig Run, bool HasLearningRate) Build(ConfigMapping own, string name, string output, string prefix)
    {
        var settings = new ConfigSettings(PlaceOfRun, folder);
        foreach (var (layer, i) in Layers.Select((layer, i) => (layer, i))) settings.Add(layer, replace: i > 0);
        var ofLayers = settings.Found.Count;
        settings.Add(own, replace: true);
        var ofOwn = settings.Found.Count;
        settings.Add(Given("output", output), replace: true);
        if (!HasTrainFile) settings.Add(new ConfigMapping(default, [new ConfigEntry("data", default, Given("train", Path.Combine(output, "train.jsonl")))]), replace: true);
        var run = ConfigLoader.Complete(settings, ExistingPaths.Rules(HasTrainFile));
        foreach (var ((order, error), i) in settings.Found.Select((found, i) => (found, i)))
        {
            if (i >= ofLayers && (i < ofOwn || (error.Key is { } key && ConfigOverlay.Find(own, key) is { } entry && entry.Place.Text == error.Location)))
                errors.Add(order, error with { Key = prefix + error.Key });
            else if (_shared.TryGetValue((order, error), out var names)) names.Add(name);
            else _shared.Add((order, error), [name]);
        }
        _built++;
        return (run, settings.IsGiven(ConfigSchema.LearningRate));
    }

    /// <summary>Adds the errors at shared keys.</summary>
    public void AddCommonErrors()
    {
        foreach (var ((order, error), names) in _shared)
        {
            var of = names.Count == _built ? "" : $" (method {string.Join(", ", names.Select(name => $"'{name}'"))})";
            errors.Add(order, error with { Key = error.Key is null ? ComparisonReader.Run : $"{ComparisonReader.Run}.{error.Key}", Problem = error.Problem + of });
        }
    }

    private ConfigMapping Given(string key, string text)
    {
        var place = new ConfigPlace(file, 0);
        return new ConfigMapping(place, [new ConfigEntry(key, place, new ConfigScalar(place, text, Quoted: true))]);
    }
}
