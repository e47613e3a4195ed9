using System.Reflection;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>The tasks that come with the program: the files of the folder <c>tasks</c>.</summary>
public static class ShippedTasks
{
    private const string Prefix = "tasks/", Ending = ".yaml";

    private static Assembly Assembly => typeof(ShippedTasks).Assembly;

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Ending.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>How errors and documents name the file of a task.</summary>
    public static string PathOf(string name) => Prefix + name + Ending;

    /// <summary>The text of a task's file; null where there is no task of that name.</summary>
    public static string? Find(string name)
    {
        using var stream = Assembly.GetManifestResourceStream(PathOf(name));
        if (stream is null) return null;
        using var text = new StreamReader(stream);
        return text.ReadToEnd();
    }
}
