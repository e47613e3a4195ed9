using System.Globalization;
using Meft.Core.Comparisons;
using Meft.Core.Configuration;
using Meft.Evaluation;
using Meft.Training.Runs;

namespace Meft.Comparisons;

/// <summary>One run of a comparison: a method, a rate, a seed, the rows it is trained on and the questions that judge it.</summary>
/// <param name="Title">As people read it.</param>
/// <param name="Folder">Where it lies.</param>
/// <param name="Run">The run.</param>
/// <param name="Tasks">The questions.</param>
/// <param name="KeepsAdapter">Whether the adapter stays when it has been judged.</param>
internal sealed record Cell(string Title, string Folder, RunConfig Run, IReadOnlyList<AskedTask> Tasks, bool KeepsAdapter)
{
    /// <summary>The name of the fact that only the questions decide.</summary>
    public const string TasksFact = "tasks";

    /// <summary>A rate that is tried for a method, once with each seed of the grid.</summary>
    public static IEnumerable<Cell> OfRate(ComparisonConfig config, ComparedMethod method, double rate, IReadOnlyList<string>? rows, AskedTask task)
    {
        foreach (var seed in config.Grid?.Seeds ?? [config.Seeds[0]])
        {
            var (title, name) = seed == config.Seeds[0] ? ("", "") : ($", seed {seed}", string.Create(CultureInfo.InvariantCulture, $"-seed-{seed}"));
            yield return Of(
                config, method, $"{method.Name}, rate {Text(rate)}{title} on the held-out split", $"rate-{Text(rate)}{name}", seed, rate, rows, [task], keep: false);
        }
    }

    /// <summary>A seed of a method.</summary>
    public static Cell OfSeed(ComparisonConfig config, ComparedMethod method, long seed, double rate, IReadOnlyList<string>? rows, IReadOnlyList<AskedTask> tasks) => Of(
        config, method, config.Seeds.Count == 1 ? $"{method.Name}, rate {Text(rate)}" : $"{method.Name}, rate {Text(rate)}, seed {seed}",
        string.Create(CultureInfo.InvariantCulture, $"seed-{seed}"), seed, rate, rows, tasks, config.KeepAdapters);

    /// <summary>Where the run's folder lies.</summary>
    public string RunFolder => Run.Output;

    /// <summary>What the run's numbers depend on, by name. Where things lie is no part of it.</summary>
    /// <param name="model">The base model's files, in short.</param>
    public Dictionary<string, string> Facts(string model)
    {
        var method = Run.Method.Init is null ? Run.Method : Run.Method with { Init = "" };
        var facts = new Dictionary<string, string>
        {
            ["model"] = model,
            ["run"] = Hash((Run with { Model = "", Output = "", Method = method, Data = Run.Data with { Train = [], Validation = [] } }).ToYaml()),
            ["rows"] = Hash(string.Join('\n', Run.Data.Train.Concat(Run.Data.Validation).Select(RunManifest.HashOf))),
            [TasksFact] = string.Join(' ', Tasks.Select(task => task.Fact)),
        };
        if (Run.Method.Init is { } init) facts["init"] = EvalFingerprint.OfAdapter(init);
        return facts;
    }

    private static Cell Of(
        ComparisonConfig config, ComparedMethod method, string title, string name, long seed, double rate, IReadOnlyList<string>? rows,
        IReadOnlyList<AskedTask> tasks, bool keep)
    {
        var folder = Path.Combine(config.Output, ComparisonPlace.Methods, method.Id, name);
        var run = method.RunOn(rows) with
        {
            Output = Path.Combine(folder, CellFolder.RunName),
            Seed = seed,
            Optimizer = method.Run.Optimizer with { LearningRate = rate },
        };
        return new Cell(title, folder, run, tasks, keep);
    }

    private static string Hash(string text) => RunManifest.HashOfText(text)[..16];

    /// <summary>All digits of a rate: two that differ have folders of their own.</summary>
    private static string Text(double rate) => rate.ToString("0.##############################", CultureInfo.InvariantCulture);
}
