using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Tasks;
using Meft.Core.Storage;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Reads the groups that name a task with its data. What they name is loaded or looked for.</summary>
/// <param name="folder">What relative paths are relative to.</param>
/// <param name="errors">Takes errors.</param>
internal sealed class TaskSourceReader(string folder, ConfigErrors errors)
{
    private const int DefaultBatch = 16, MostBatch = 1 << 20;

    private static readonly IReadOnlyList<string> CommonKeys = ["task", "data", "distinct", "skip", "first"];
    private static readonly PathType DataPath = new("a .jsonl, .json or .txt file, or a folder of such files");

    private readonly Dictionary<string, EvalTask?> _tasks = new(StringComparer.Ordinal);
    private readonly HashSet<string> _labels = new(StringComparer.Ordinal);

    /// <summary>The keys of rows made of a task.</summary>
    public static IReadOnlyList<string> TrainingKeys { get; } = [.. CommonKeys, "part"];

    /// <summary>The keys of a task that a learning rate is chosen by.</summary>
    public static IReadOnlyList<string> JudgingKeys { get; } = [.. CommonKeys, "batch", "show"];

    /// <summary>The keys of a task that figures are reported of.</summary>
    public static IReadOnlyList<string> ReportedKeys { get; } = [.. JudgingKeys, "old_knowledge"];

    /// <summary>Reads what rows are made of; null where it has errors.</summary>
    public TaskSource? Training(ConfigNode node, string prefix)
    {
        var group = Group(node, prefix, TrainingKeys);
        if (Common(group) is not var (task, data, records) || PartOf(group, task) is not { } part) return null;
        return new TaskSource(task.Only([part]), data, records, [], DefaultBatch, IsOldKnowledge: false);
    }

    /// <summary>Reads what a learning rate is chosen by; null where it has errors.</summary>
    public TaskSource? Judging(ConfigNode node, string prefix) => Asked(Group(node, prefix, JudgingKeys), prefix);

    /// <summary>Reads what figures are reported of; null where it has errors. No two of all figures may have the same label.</summary>
    public TaskSource? Reported(ConfigNode node, string prefix)
    {
        var group = Group(node, prefix, ReportedKeys);
        var isOld = group.Read("old_knowledge", new BooleanType(), false);
        if (Asked(group, prefix) is not { } source) return null;
        foreach (var metric in source.Metrics.Where(metric => !_labels.Add(metric.Label)))
            group.Refuse("show", $"'{metric.Label}' is the label of another figure too", $"a label of its own, for example {{metric: {metric.Metric}, label: {source.Task.Name} 2}}");
        return source with { IsOldKnowledge = isOld };
    }

    private TaskSource? Asked(ConfigGroup group, string prefix)
    {
        var batch = group.Read("batch", new IntegerType<int>(1, MostBatch), DefaultBatch);
        if (Common(group) is not var (task, data, records)) return null;
        var metrics = new ShownMetrics(task, errors).Read(group.Find("show")?.Value, $"{prefix}show");
        return metrics.Count == 0 ? null : new TaskSource(task.Only([.. metrics.Select(m => m.Part).Distinct()]), data, records, metrics, batch, IsOldKnowledge: false);
    }

    private ConfigGroup Group(ConfigNode node, string prefix, IReadOnlyList<string> keys) => new(node, prefix, keys, errors) { Folder = folder };

    private (EvalTask Task, string Data, RecordSelection Records)? Common(ConfigGroup group)
    {
        var name = group.ReadRequired("task", new TaskNameType());
        var task = name is null ? null : Load(group, name);
        var data = DataOf(group, task);
        var records = new RecordSelection(
            group.Read("skip", new IntegerType<int>(0, int.MaxValue), 0), group.ReadOrNull("first", new IntegerType<int>(1, int.MaxValue)),
            group.ReadOrNull("distinct", new ExpressionType())?.Source);
        return task is null || data is null ? null : (task, data, records);
    }

    /// <summary>Loads a task, its errors told once however often it is named.</summary>
    private EvalTask? Load(ConfigGroup group, string name)
    {
        if (_tasks.TryGetValue(name, out var task)) return task;
        try
        {
            task = EvalTask.Load(name);
        }
        catch (ConfigException e)
        {
            foreach (var error in e.Errors) errors.Add(group.Find("task")!.Place.Order, error);
        }
        catch (InvalidInputException e)
        {
            group.Refuse("task", TextOf(e), e.Allowed);
        }
        _tasks.Add(name, task);
        return task;
    }

    private static string? DataOf(ConfigGroup group, EvalTask? task)
    {
        var path = group.ReadOrNull("data", DataPath);
        if (group.Find("data") is null)
        {
            path = task?.DataPath;
            if (path is null && task is not null) group.Refuse("data", $"is missing: the task {task.Name} names no data itself", DataPath.Allowed);
        }
        if (path is null) return null;
        try
        {
            _ = EvalQuestions.FilesOf(path);
            return path;
        }
        catch (InvalidInputException e)
        {
            group.Refuse("data", TextOf(e), e.Allowed ?? DataPath.Allowed);
            return null;
        }
    }

    private static string? PartOf(ConfigGroup group, EvalTask task)
    {
        const string Key = "part";
        string[] parts = [.. task.Parts.Where(part => part.Kind == QuestionKind.Generate).Select(part => part.Name)];
        var allowed = $"a part of {task.Name} that asks for answers: {string.Join(", ", parts)}";
        if (parts.Length == 0)
        {
            group.Refuse("task", $"no part of the task {task.Name} asks for answers that could be learnt", "a task with a part of kind: generate");
            return null;
        }
        if (group.Find(Key) is null && parts.Length > 1) group.Refuse(Key, "is missing", allowed);
        if (group.Find(Key) is null) return parts.Length > 1 ? null : parts[0];
        if (group.ReadOrNull(Key, new TextType()) is not { } name || parts.Contains(name)) return group.ReadOrNull(Key, new TextType());
        var meant = NearestName.IfClose(name, parts) is { } nearest ? $" (did you mean {nearest}?)" : "";
        group.Refuse(Key, task.Parts.Any(part => part.Name == name) ? $"'{name}' asks for no answers" : $"'{name}' is no part of the task {task.Name}{meant}", allowed);
        return null;
    }

    private static string TextOf(InvalidInputException e)
    {
        if (e.Location is null) return e.Problem;
        var nearest = Path.Exists(e.Location) ? null : NearestPath.IfClose(e.Location);
        return $"{e.Location}: {e.Problem}" + (nearest is null ? "" : $"; the nearest path is {nearest}");
    }
}

/// <summary>A task's name, or the path of its file, which is made absolute.</summary>
internal sealed class TaskNameType : ConfigType<string>
{
    /// <inheritdoc/>
    public override string Allowed => $"{string.Join(", ", ShippedTasks.Names)}, or a .yaml file, absolute or relative to the config file";

    /// <inheritdoc/>
    public override string? Read(ConfigNode node, string folder, out string value)
    {
        value = node is ConfigScalar scalar ? scalar.Text : "";
        if (value.Length == 0) return IsNo(node, "no task");
        if (value.Contains('\0', StringComparison.Ordinal)) return "a path cannot hold a NUL character";
        if (Path.GetExtension(value) is ".yaml" or ".yml") value = Path.GetFullPath(value, folder);
        else if (value.Contains('/', StringComparison.Ordinal)) return IsNo(node, "no path of a .yaml file");
        return null;
    }

    /// <inheritdoc/>
    public override string Write(string value) => TextType.Quote(value);
}
