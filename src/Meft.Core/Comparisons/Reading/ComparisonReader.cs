using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Makes a comparison of its document, and collects every error on the way.</summary>
/// <param name="path">The file as it was named.</param>
/// <param name="errors">Takes errors.</param>
internal sealed class ComparisonReader(string path, ConfigErrors errors)
{
    /// <summary>The key of what the runs share.</summary>
    public const string Run = "run";

    /// <summary>What seeds are read by.</summary>
    internal static readonly DistinctListType<long> Seeds = new(
        new IntegerType<long>(0, long.MaxValue), 1, "a whole number, at least 0, or a list of distinct ones");

    /// <summary>The keys at the top.</summary>
    public static IReadOnlyList<string> Keys { get; } = ["output", "seeds", "keep_adapters", Run, "train", "tasks", "grid", "methods", "reference"];

    /// <summary>Reads it; null, or with parts of it missing, where there are errors.</summary>
    /// <param name="document">The document with overrides.</param>
    /// <param name="runOverrides">Overrides of keys of <c>run</c>, in order.</param>
    public ComparisonConfig? Read(ConfigNode? document, IReadOnlyList<ConfigMapping> runOverrides)
    {
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        var top = new ConfigGroup(document, "", Keys, errors) { Folder = folder };
        var sources = new TaskSourceReader(folder, errors);
        var output = top.ReadRequired("output", new PathType("a folder"));
        var train = top.Find("train") is { } rows ? sources.Training(rows.Value, "train.") : null;
        var tasks = Tasks(top, sources);
        var grid = top.Find("grid") is { } given ? new GridReader(sources, errors).Read(given.Value, top.Find("train") is not null, tasks, folder) : null;
        var methods = new MethodsReader(path, top, errors) { Output = output ?? folder, Grid = grid }.Read(runOverrides);
        var reference = Reference(top, methods);
        var (seeds, keepsAdapters) = (top.Read("seeds", Seeds, [0]), top.Read("keep_adapters", new BooleanType(), false));
        if (errors.All.Count > 0) return null;
        return new ComparisonConfig
        {
            Path = full,
            Output = output!,
            Seeds = seeds,
            KeepAdapters = keepsAdapters,
            Train = train,
            Tasks = [.. tasks.Select(task => task!)],
            Grid = grid?.Config,
            Methods = methods,
            Reference = reference,
        };
    }

    /// <summary>The tasks; null where one has errors.</summary>
    private static IReadOnlyList<TaskSource?> Tasks(ConfigGroup top, TaskSourceReader sources)
    {
        const string Key = "tasks", Allowed = "a list of at least one task with its data";
        if (top.Find(Key) is not { } entry)
        {
            top.Refuse(Key, "is missing", Allowed);
            return [];
        }
        if (entry.Value is ConfigSequence { Items.Count: > 0 } list) return [.. list.Items.Select((node, i) => sources.Reported(node, $"{Key}[{i}]."))];
        top.Refuse(Key, $"{entry.Value.Describe()} stands where a list of tasks is expected", Allowed);
        return [];
    }

    private static ComparedMethod? Reference(ConfigGroup top, IReadOnlyList<ComparedMethod> methods)
    {
        const string Key = "reference";
        if (top.ReadOrNull(Key, new TextType()) is not { } name || methods.Count == 0) return null;
        if (methods.FirstOrDefault(method => method.Name == name) is { } found) return found;
        string[] names = [.. methods.Select(method => method.Name)];
        var meant = NearestName.IfClose(name, names) is { } nearest ? $" (did you mean '{nearest}'?)" : "";
        top.Refuse(Key, $"'{name}' is the name of no method{meant}", string.Join(" | ", names));
        return null;
    }
}
