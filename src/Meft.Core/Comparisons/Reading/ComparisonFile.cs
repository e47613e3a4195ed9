using Meft.Core.Configuration;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Reads the YAML of a comparison.</summary>
public static class ComparisonFile
{
    /// <summary>Reads a file and applies overrides to it.</summary>
    /// <param name="path">The YAML file; relative paths in it, and in the overrides, are relative to its folder.</param>
    /// <param name="sets">Overrides <c>key=value</c>, the value being YAML; a later one wins.</param>
    /// <exception cref="ConfigException">All errors of the file, its task files and the overrides together; files that it names are not there.</exception>
    public static ComparisonConfig Load(string path, IEnumerable<string> sets)
    {
        var errors = new ConfigErrors(path);
        var document = ConfigFile.Read(path);
        var runOverrides = new List<ConfigMapping>();
        string[] given = [.. sets];
        foreach (var (set, index) in given.Select((set, index) => (set, index)))
        {
            var over = ConfigFile.ReadOverride(set, index, "run.epochs=2", (place, key, problem, allowed) => errors.Add(place, key, problem, allowed));
            // Those of the runs are laid over by the rules of a run's config.
            if (over?.Entries[0] is { Key: ComparisonReader.Run, Value: ConfigMapping run }) runOverrides.Add(run);
            else if (over is not null) document = ConfigOverlay.Lay(document, over);
        }
        var config = new ComparisonReader(path, errors).Read(document, runOverrides);
        return errors.All is { Count: > 0 } all ? throw new ConfigException(path, all) : config! with { Overrides = given };
    }
}
