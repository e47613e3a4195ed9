namespace Meft.Core.Evaluation.Metrics;

/// <summary>What a model's answer to a question is worth.</summary>
public interface IAnswerMetric
{
    /// <summary>The names of the numbers it gives, in their order.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Why no prediction could ever be right by a given answer; null where one could.</summary>
    /// <param name="answer">A right answer, not empty.</param>
    string? Unreachable(string answer);

    /// <summary>One number a name, each from 0 to 1.</summary>
    /// <param name="prediction">What the model wrote; empty where it says that there is no answer.</param>
    /// <param name="answers">What is right, at least one text; a single empty one where there is no answer.</param>
    IReadOnlyList<double> Score(string prediction, IReadOnlyList<string> answers);
}

/// <summary>A metric of one number, the best over the right answers.</summary>
/// <param name="name">Its name.</param>
/// <param name="score">What a prediction (first) is worth by a right answer (second).</param>
/// <param name="unreachable">As <see cref="IAnswerMetric.Unreachable"/>; null where every answer can be reached.</param>
internal sealed class BestOf(string name, Func<string, string, double> score, Func<string, string?>? unreachable = null) : IAnswerMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = [name];

    /// <inheritdoc/>
    public string? Unreachable(string answer) => unreachable?.Invoke(answer);

    /// <inheritdoc/>
    public IReadOnlyList<double> Score(string prediction, IReadOnlyList<string> answers) => [answers.Max(answer => score(prediction, answer))];
}
