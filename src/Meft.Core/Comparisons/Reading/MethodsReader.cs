using Meft.Core.Configuration;
using Meft.Core.Storage;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Makes the run of every method: the keys of <c>run</c>, overrides of them, then the method's own, read as a run's config is.</summary>
/// <param name="file">The config file as errors name it.</param>
/// <param name="top">The groups at the top.</param>
/// <param name="errors">Takes errors; one that all methods have is added once.</param>
internal sealed class MethodsReader(string file, ConfigGroup top, ConfigErrors errors)
{
    private const string Key = "methods", RateKey = "optimizer.learning_rate", TrainKey = "data.train";
    private const string Allowed = "a list of at least one method with its name";

    private readonly SharedKeys _shared = new(errors);

    /// <summary>The folder of the comparison.</summary>
    public required string Output { get; init; }

    /// <summary>The grid; null for none.</summary>
    public required GridSettings? Grid { get; init; }

    /// <summary>Reads them; where there are errors, what is returned is of no use but for the names.</summary>
    /// <param name="overrides">Overrides of keys of <c>run</c>, in order.</param>
    public IReadOnlyList<ComparedMethod> Read(IReadOnlyList<ConfigMapping> overrides)
    {
        var entry = top.Find(ComparisonReader.Run);
        if (entry is null && overrides.Count == 0) top.Refuse(ComparisonReader.Run, "is missing", "the keys of a run's config (docs/config.md) that all methods share");
        else if (entry is not null && entry.Value is not ConfigMapping)
            top.Refuse(ComparisonReader.Run, $"{entry.Value.Describe()} stands where a group of keys is expected", "the keys of a run's config (docs/config.md)");
        var entries = Entries();
        IReadOnlyList<ConfigMapping> layers = [.. entry?.Value is ConfigMapping run ? [run] : Array.Empty<ConfigMapping>(), .. overrides];
        if (layers.Count == 0) return [];

        var hasTrainFile = layers.Select(layer => ConfigOverlay.Find(layer, TrainKey)).OfType<ConfigEntry>().LastOrDefault();
        hasTrainFile = hasTrainFile?.Value is ConfigScalar { IsNull: true } ? null : hasTrainFile;
        var rowsAreOfTask = top.Find("train") is not null;
        if (rowsAreOfTask && hasTrainFile is not null)
            errors.Add(hasTrainFile.Place, $"run.{TrainKey}", "contradicts train, which makes the rows", $"one of train and run.{TrainKey}");
        if (!rowsAreOfTask && hasTrainFile is null) top.Refuse("train", "is missing", $"train, rows made of a task's questions, or files in run.{TrainKey}");

        var runs = new MethodRuns(file, top.Folder, errors)
        {
            Layers = [.. layers.Select(layer => _shared.WithoutThoseOfRuns(layer, Grid is not null))],
            PlaceOfRun = entry?.Place.Text ?? file,
            HasTrainFile = hasTrainFile is not null && !rowsAreOfTask,
        };
        var ids = PlainNames.Of([.. entries.Select(method => method.Name)], "method");
        var methods = entries.Select((method, i) => Method(method, ids[i], runs, $"{Key}[{i}].")).ToList();
        if (methods.Count == 0) runs.Build(new ConfigMapping(default, []), "", Output, "");
        runs.AddCommonErrors();
        if (Grid is not null && methods.Count > 0 && methods.All(method => method.HasFixedRate))
            top.Refuse("grid", "would have no effect: every method has an optimizer.learning_rate of its own", "leaving it out");
        return [.. methods.Select(method => method.Method)];
    }

    private List<MethodEntry> Entries()
    {
        var entry = top.Find(Key);
        if (entry is null) top.Refuse(Key, "is missing", Allowed);
        else if (entry.Value is not ConfigSequence { Items.Count: > 0 }) top.Refuse(Key, $"{entry.Value.Describe()} stands where a list of methods is expected", Allowed);
        var methods = new List<MethodEntry>();
        foreach (var (node, i) in ((entry?.Value as ConfigSequence)?.Items ?? []).Select((node, i) => (node, i)))
        {
            var method = MethodEntry.Of(node, $"{Key}[{i}].", errors);
            if (method.IsNamed && methods.FirstOrDefault(other => other.IsNamed && other.Name == method.Name) is { } same)
                method.Group.Refuse("name", $"'{method.Name}' is the name of the method at {same.Group.Find("name")!.Place.Text} too", "a name of its own");
            methods.Add(method);
        }
        return methods;
    }

    private (ComparedMethod Method, bool HasFixedRate) Method(MethodEntry entry, string id, MethodRuns runs, string prefix)
    {
        var (run, hasFixedRate) = runs.Build(_shared.WithoutThoseOfMethods(entry.Own, prefix), entry.Name, Path.Combine(Output, "methods", id), prefix);
        var rates = entry.Group.ReadOrNull(GridReader.RatesKey, GridReader.Rates);
        var isGiven = entry.Group.Find(GridReader.RatesKey) is not null;
        if (isGiven && Grid is null) entry.Group.Refuse(GridReader.RatesKey, "would have no effect: there is no grid", "a grid, or leaving the key out");
        else if (isGiven && hasFixedRate) entry.Group.Refuse(GridReader.RatesKey, $"contradicts the method's {RateKey}", "one of them");
        else if (!isGiven && Grid is { Rates: null } && !hasFixedRate)
            entry.Group.Refuse(GridReader.RatesKey, "is missing: neither the grid nor the method says which rates to try", $"learning_rates here or in the grid, or {RateKey}");
        IReadOnlyList<double> tried = Grid is null || hasFixedRate ? [] : [.. (rates ?? Grid.Rates ?? []).Order()];
        return (new ComparedMethod(entry.Name, id, run, tried), hasFixedRate);
    }
}
