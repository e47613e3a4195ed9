using Meft.Core.Data;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Evaluation;

/// <summary>A question that a task asks of a record.</summary>
public abstract record EvalQuestion
{
    /// <summary>The part of the task it belongs to.</summary>
    public required TaskPart Part { get; init; }

    /// <summary>Where its record begins.</summary>
    public required RowOrigin Origin { get; init; }

    /// <summary>The record's number, from 0.</summary>
    public required int Record { get; init; }

    /// <summary>Questions of the same cluster belong together: they are drawn together for intervals.</summary>
    public required int Cluster { get; init; }

    /// <summary>
    /// What it counts in a mean. Questions that a part makes of one record by <c>each</c> share the weight 1, so that a record with many of them
    /// counts no more than one with few (ROME too averages over prompts first and over records second).
    /// </summary>
    public required double Weight { get; init; }
}

/// <summary>A prompt to continue.</summary>
/// <param name="Prompt">The whole prompt, with examples.</param>
/// <param name="Shown">The prompt without examples, for reports.</param>
/// <param name="Answers">The right answers; empty where the right answer is that there is none.</param>
public sealed record GenerateQuestion(string Prompt, string Shown, IReadOnlyList<string> Answers) : EvalQuestion;

/// <summary>A prompt with choices of how it goes on.</summary>
/// <param name="Prompt">The whole prompt, with examples.</param>
/// <param name="Shown">The prompt without examples, for reports.</param>
/// <param name="Choices">At least two texts.</param>
/// <param name="Right">The index of the right one.</param>
public sealed record ChooseQuestion(string Prompt, string Shown, IReadOnlyList<string> Choices, int Right) : EvalQuestion;

/// <summary>A text to predict.</summary>
/// <param name="Text">The text.</param>
public sealed record TextQuestion(string Text) : EvalQuestion;
