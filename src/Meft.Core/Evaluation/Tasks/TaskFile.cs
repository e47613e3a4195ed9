using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Storage;
using YamlDotNet.Core;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>Finds the file of a task and reads it.</summary>
internal static class TaskFile
{
    private const string Allowed = "the name of a task or the path of a .yaml file";

    /// <summary>Loads a task by name or path.</summary>
    /// <exception cref="InvalidInputException">There is none, or it has errors.</exception>
    public static EvalTask Load(string nameOrPath)
    {
        if (ShippedTasks.Find(nameOrPath) is { } shipped) return Read(ShippedTasks.PathOf(nameOrPath), nameOrPath, shipped, folder: null);
        if (File.Exists(nameOrPath)) return Read(nameOrPath, Path.GetFileNameWithoutExtension(nameOrPath), ReadText(nameOrPath), FolderOf(nameOrPath));
        var isPath = nameOrPath.Contains('/', StringComparison.Ordinal) || Path.GetExtension(nameOrPath) is ".yaml" or ".yml";
        if (isPath)
        {
            throw new InvalidInputException(
                Directory.Exists(nameOrPath) ? "is a folder, not a task file" : "the task file does not exist", nameOrPath, Allowed,
                NearestPath.IfClose(nameOrPath) is { } nearest ? $"Did you mean {nearest}?" : "Correct the path");
        }
        var meant = NearestName.IfClose(nameOrPath, ShippedTasks.Names) is { } name ? $" (did you mean {name}?)" : "";
        throw new InvalidInputException($"there is no task '{nameOrPath}'{meant}", null, $"{string.Join(", ", ShippedTasks.Names)}, or a .yaml file");
    }

    /// <summary>Reads a task from text.</summary>
    /// <param name="path">The file as errors name it.</param>
    /// <param name="name">The task's name.</param>
    /// <param name="text">The YAML.</param>
    /// <param name="folder">What relative paths are relative to; null where the file lies in none.</param>
    /// <exception cref="ConfigException">All errors together.</exception>
    public static EvalTask Read(string path, string name, string text, string? folder)
    {
        try
        {
            using var reader = new StringReader(text);
            return new TaskReader(path, folder).Read(name, text, ConfigNodeParser.Parse(reader, line => new ConfigPlace($"{path}:{line}", line)));
        }
        catch (YamlException e)
        {
            throw new ConfigException(path, [new ConfigError($"{path}:{e.Start.Line}", null, $"the task is no valid YAML: {Reason(e)}", null)], e, "task");
        }
    }

    private static string Reason(YamlException e) => string.IsNullOrWhiteSpace(e.Message) ? $"column {e.Start.Column}" : e.Message.ReplaceLineEndings(" ");

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    private static string ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the task file cannot be read: {e.Message}", path, null, null, e);
        }
    }
}
