using Meft.Core.Configuration;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Comparisons;

/// <summary>Methods side by side on one task and one device budget, as the YAML of <c>meft compare</c> says it (docs/compare.md).</summary>
public sealed record ComparisonConfig
{
    /// <summary>The config file's full path.</summary>
    public required string Path { get; init; }

    /// <summary>Overrides <c>key=value</c> of the file, as they were given.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Full path of the folder that takes everything.</summary>
    public required string Output { get; init; }

    /// <summary>Each method is trained once with each seed; at least one.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Whether the adapters stay when they have been judged.</summary>
    public required bool KeepAdapters { get; init; }

    /// <summary>What is trained, made of the questions of a task; null where the runs' <c>data.train</c> says it.</summary>
    public required TaskSource? Train { get; init; }

    /// <summary>What the models are asked; the first metric of the first one is the score.</summary>
    public required IReadOnlyList<TaskSource> Tasks { get; init; }

    /// <summary>How each method's learning rate is found; null where the methods say theirs.</summary>
    public required GridConfig? Grid { get; init; }

    /// <summary>The methods, in the order of the table; at least one.</summary>
    public required IReadOnlyList<ComparedMethod> Methods { get; init; }

    /// <summary>The method that the others are compared with, one of <see cref="Methods"/>; null for none.</summary>
    public required ComparedMethod? Reference { get; init; }
}

/// <summary>A method and all else of its runs.</summary>
/// <param name="Name">As the table shows it.</param>
/// <param name="Id">The name of its folder: letters, digits and hyphens; one of its own for each method.</param>
/// <param name="Run">Its run: output and seed do not matter, and neither does <c>data.train</c> where rows are made of a task.</param>
/// <param name="LearningRates">Rates to try on the held-out split, ascending; empty where <paramref name="Run"/> says the rate.</param>
public sealed record ComparedMethod(string Name, string Id, RunConfig Run, IReadOnlyList<double> LearningRates)
{
    /// <summary>Its run on rows that are made of a task; null for the rows that <see cref="Run"/> names.</summary>
    public RunConfig RunOn(IReadOnlyList<string>? rows) => rows is null ? Run : Run with { Data = Run.Data with { Train = [.. rows], TrainWeights = [] } };
}

/// <summary>How a learning rate is chosen: each is trained on rows of its own and judged by questions that no reported figure depends on.</summary>
/// <param name="Extend">How many rates beyond either end are tried while the best one is at that end.</param>
/// <param name="Seeds">Each rate is trained once with each; null: with the first of the comparison's.</param>
/// <param name="Train">The rows; null for the runs' <c>data.train</c>.</param>
/// <param name="Task">The questions; the mean of its metrics decides.</param>
public sealed record GridConfig(int Extend, IReadOnlyList<long>? Seeds, TaskSource? Train, TaskSource Task);

/// <summary>Questions of a task, of some of the records of its data.</summary>
/// <param name="Task">The task, with no parts but those that are asked.</param>
/// <param name="Data">A data file, or a folder of them.</param>
/// <param name="Records">Which of its records.</param>
/// <param name="Metrics">The figures to show, in order; at least one where the questions are asked, none where rows are made of them.</param>
/// <param name="Batch">Prompts that are continued together.</param>
/// <param name="IsOldKnowledge">Whether it is about what the model knew before, and so tells of forgetting.</param>
public sealed record TaskSource(
    EvalTask Task, string Data, RecordSelection Records, IReadOnlyList<ShownMetric> Metrics, int Batch, bool IsOldKnowledge);

/// <summary>A figure of a task.</summary>
/// <param name="Part">The task's part.</param>
/// <param name="Metric">The metric's name, as <c>eval</c> reports it.</param>
/// <param name="Label">As the table shows it.</param>
public sealed record ShownMetric(string Part, string Metric, string Label);
