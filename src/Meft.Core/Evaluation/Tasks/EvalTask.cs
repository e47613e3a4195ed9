using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Metrics;
using Meft.Core.Evaluation.Records;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>What a part of a task asks of a model.</summary>
public enum QuestionKind
{
    /// <summary>A greedy continuation of the prompt, compared with the right answers.</summary>
    Generate,

    /// <summary>Which of several continuations is the likeliest.</summary>
    Choose,

    /// <summary>How likely a text is.</summary>
    Perplexity,
}

/// <summary>What becomes of a prompt that is too long for the model.</summary>
public enum LongPrompt
{
    /// <summary>An error with the record's file and line.</summary>
    Refuse,

    /// <summary>Its earliest tokens are left out, until the answer has room.</summary>
    Truncate,
}

/// <summary>A task: where its records are, what they are asked, how answers are judged.</summary>
public sealed record EvalTask
{
    /// <summary>The task's name: its file's, without ending.</summary>
    public required string Name { get; init; }

    /// <summary>What it measures, in a sentence.</summary>
    public required string Description { get; init; }

    /// <summary>The text of its file.</summary>
    public required string Source { get; init; }

    /// <summary>The file or folder with its data; null where the caller names it.</summary>
    public required string? DataPath { get; init; }

    /// <summary>What is asked of every record; at least one.</summary>
    public required IReadOnlyList<TaskPart> Parts { get; init; }

    /// <summary>Whether it asks for nothing but the likelihood of texts.</summary>
    public bool IsOfTexts => Parts.All(part => part.Kind == QuestionKind.Perplexity);

    /// <summary>What a limit means to the task: of one of nothing but texts, windows; else records.</summary>
    /// <param name="first">The limit; null for none.</param>
    public (int? Records, int? Windows) Limited(int? first) => IsOfTexts ? (null, first) : (first, null);

    /// <summary>Where the records stand in a document.</summary>
    internal RecordPath Rows { get; init; } = RecordPath.Root;

    /// <summary>Records of the same group belong together; null where every record stands for itself.</summary>
    internal RowTemplate? Group { get; init; }

    /// <summary>Loads a task.</summary>
    /// <param name="nameOrPath">The name of a task that comes with the program, or a .yaml file.</param>
    /// <exception cref="InvalidInputException">There is none of that name, or the file has errors, which are all named.</exception>
    public static EvalTask Load(string nameOrPath) => TaskFile.Load(nameOrPath);

    /// <summary>The task with some of its parts, in its own order. What only the others ask of is then no record of the task.</summary>
    /// <param name="parts">Names of parts, at least one.</param>
    /// <exception cref="ArgumentException">A name is that of no part, or there is none.</exception>
    public EvalTask Only(IReadOnlyCollection<string> parts)
    {
        if (parts.Count == 0) throw new ArgumentException("a task has at least one part", nameof(parts));
        if (parts.FirstOrDefault(name => Parts.All(part => part.Name != name)) is { } unknown)
            throw new ArgumentException($"the task {Name} has no part '{unknown}'", nameof(parts));
        return this with { Parts = [.. Parts.Where(part => parts.Contains(part.Name))] };
    }
}

/// <summary>One kind of question that a task asks of its records.</summary>
public sealed record TaskPart
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it asks.</summary>
    public required QuestionKind Kind { get; init; }

    /// <summary>The metrics of answers; empty for other kinds.</summary>
    public required IReadOnlyList<IAnswerMetric> Metrics { get; init; }

    /// <summary>The text of an answer that says that there is none; null where every question has one.</summary>
    public required string? NoAnswer { get; init; }

    /// <summary>The most tokens of an answer.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Texts that end an answer.</summary>
    public required IReadOnlyList<string> Stop { get; init; }

    /// <summary>What becomes of prompts that are too long.</summary>
    public required LongPrompt OverLength { get; init; }

    /// <summary>By what choices are compared.</summary>
    public required LengthNormalization Normalize { get; init; }

    /// <summary>The most tokens of a window of a text; null for the model's positions, at most <see cref="DefaultWindow"/>.</summary>
    public required int? Window { get; init; }

    /// <summary>How many tokens of a window are scored, the others before them being context; null for all but the first.</summary>
    public required int? Stride { get; init; }

    /// <summary>The window where none is asked for.</summary>
    public const int DefaultWindow = 1024;

    internal RowExpression? When { get; init; }

    internal RowExpression? Each { get; init; }

    internal RowTemplate Prompt { get; init; } = RowTemplate.Empty;

    internal RowExpression? Answers { get; init; }

    internal RowExpression? Choices { get; init; }

    internal RowTemplate Choice { get; init; } = RowTemplate.Empty;

    internal RowExpression? Right { get; init; }

    internal IReadOnlyList<TaskExample> Examples { get; init; } = [];

    internal string Separator { get; init; } = "";
}

/// <summary>A question with its answer, shown to the model before the question that it is asked.</summary>
/// <param name="Fields">What the prompt's template sees.</param>
/// <param name="Answer">What follows the prompt.</param>
internal sealed record TaskExample(IReadOnlyDictionary<string, Value> Fields, string Answer);
