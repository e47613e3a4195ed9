using Meft.Core.Configuration;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Takes out of groups of a run's keys, with an error, those that a comparison says elsewhere or that all of its methods share.</summary>
/// <param name="errors">Takes errors.</param>
internal sealed class SharedKeys(ConfigErrors errors)
{
    private static readonly Dictionary<string, (string Problem, string Allowed)> OfComparison = new()
    {
        ["output"] = ("is the comparison's: every run has a folder in it", "output at the top of the file, and none here"),
        ["seed"] = ("is the comparison's: every method is trained with the same seeds", "seeds at the top of the file, and none here"),
    };

    private static readonly Dictionary<string, (string Problem, string Allowed)> OfRunInGrid = new(OfComparison)
    {
        ["optimizer.learning_rate"] = ("contradicts grid, which is to find the rates", "a rate of a method alone, under methods"),
    };

    private static readonly Dictionary<string, (string Problem, string Allowed)> OfMethod = new(OfComparison)
    {
        ["model"] = ("is one for all methods", "run.model, and none here"),
        ["data.train"] = ("is one for all methods", "train or run.data.train, and none here"),
        ["budget.device"] = ("is one for all methods", "run.budget.device, and none here"),
    };

    /// <summary>The keys of <c>run</c>, or of an override of it.</summary>
    public ConfigMapping WithoutThoseOfRuns(ConfigMapping run, bool hasGrid) => Without(run, "", "run.", hasGrid ? OfRunInGrid : OfComparison);

    /// <summary>The keys of a method.</summary>
    public ConfigMapping WithoutThoseOfMethods(ConfigMapping own, string prefix) => Without(own, "", prefix, OfMethod);

    private ConfigMapping Without(ConfigMapping group, string path, string prefix, Dictionary<string, (string Problem, string Allowed)> refused)
    {
        var entries = new List<ConfigEntry>();
        foreach (var entry in group.Entries)
        {
            var key = path + entry.Key;
            if (entry.Value is ConfigMapping inner && path.Length == 0) entries.Add(entry with { Value = Without(inner, $"{key}.", prefix, refused) });
            else if (!refused.TryGetValue(key, out var reason)) entries.Add(entry);
            else if (entry.Value is not ConfigScalar { IsNull: true }) errors.Add(entry.Place, prefix + key, reason.Problem, reason.Allowed);
        }
        return group with { Entries = entries };
    }
}
