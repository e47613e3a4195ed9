using System.CommandLine;

namespace Meft.Cli.CommandLine;

/// <summary>The help pages: verbs by job, and for each verb its arguments, its options and one real example.</summary>
internal static class HelpText
{
    private static readonly (Job Job, string Title)[] Titles =
    [
        (Job.TryOut, "See it work"), (Job.Train, "Fine-tune"), (Job.Use, "Use and judge a model"), (Job.Look, "Look inside"),
        (Job.Machine, "The machine"),
    ];

    /// <summary>The page of the program.</summary>
    public static void WriteProgram(RootCommand root, IReadOnlyList<IVerb> verbs, TextWriter text)
    {
        text.WriteLine(root.Description);
        text.WriteLine();
        text.WriteLine("Usage: meft VERB [options]");
        foreach (var (job, title) in Titles)
        {
            var ofJob = verbs.Where(v => v.Job == job).ToList();
            if (ofJob.Count > 0) WriteList(text, title, ofJob.Select(v => (v.Command.Name, v.Command.Description)));
        }
        WriteList(text, "Options", Rows(root.Options));
        text.WriteLine();
        text.WriteLine("`meft VERB --help` describes a verb.");
    }

    /// <summary>The page of a verb.</summary>
    public static void WriteVerb(RootCommand root, IVerb verb, TextWriter text)
    {
        var command = verb.Command;
        text.WriteLine(command.Description);
        text.WriteLine();
        var words = new List<string> { "meft", command.Name };
        words.AddRange(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues > 0 ? a.Name : $"[{a.Name}]"));
        words.AddRange(command.Options.Where(o => o.Required).Select(Spelling));
        words.Add("[options]");
        text.WriteLine($"Usage: {string.Join(' ', words)}");
        if (command.Arguments.Count > 0) WriteList(text, "Arguments", command.Arguments.Select(a => (a.Name, a.Description)));
        WriteList(text, "Options", Rows(command.Options.Concat(root.Options.Where(o => o.Recursive))));
        text.WriteLine();
        text.WriteLine("Example:");
        text.WriteLine($"  {verb.Example}");
    }

    private static IEnumerable<(string Left, string? Right)> Rows(IEnumerable<Option> options) =>
        options.Where(o => !o.Hidden).Select(o => (Spelling(o), o.Required ? $"{o.Description} (required)" : o.Description));

    private static string Spelling(Option option)
    {
        var value = option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) ? "" : $" {option.HelpName ?? "VALUE"}";
        return option.Name + value + (option.AllowMultipleArgumentsPerToken || option.Arity.MaximumNumberOfValues > 1 ? "…" : "");
    }

    private static void WriteList(TextWriter text, string title, IEnumerable<(string Left, string? Right)> rows)
    {
        var list = rows.ToList();
        var width = list.Max(r => r.Left.Length);
        text.WriteLine();
        text.WriteLine($"{title}:");
        foreach (var (left, right) in list) text.WriteLine($"  {left.PadRight(width)}  {right}".TrimEnd());
    }
}
