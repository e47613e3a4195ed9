namespace Meft.Core.Evaluation.Metrics;

/// <summary>
/// Compares calls of tools: <c>call</c> (tool and arguments are right), <c>tool</c>, <c>arguments</c> (right tool or not), and
/// <c>parses</c> (the text holds a call at all). Values are compared as JSON: 1 is not "1".
/// </summary>
internal sealed class ToolCallMetric : IAnswerMetric
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } = ["call", "tool", "arguments", "parses"];

    /// <inheritdoc/>
    public string? Unreachable(string answer) => ToolCall.Find(answer) switch
    {
        null => "is no call of a tool",
        { Arguments: null } => "has arguments that are no JSON object, each key once",
        _ => null,
    };

    /// <inheritdoc/>
    public IReadOnlyList<double> Score(string prediction, IReadOnlyList<string> answers)
    {
        if (ToolCall.Find(prediction) is not { } made) return [0, 0, 0, 0];
        var wanted = answers.Select(ToolCall.Find).OfType<ToolCall>().ToList();
        return
        [
            Any(call => call.Tool == made.Tool && call.HasSameArguments(made)), Any(call => call.Tool == made.Tool),
            Any(call => call.HasSameArguments(made)), 1,
        ];

        double Any(Func<ToolCall, bool> holds) => wanted.Any(holds) ? 1 : 0;
    }
}
