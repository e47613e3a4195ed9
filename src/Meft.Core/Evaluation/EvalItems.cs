using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Tasks;
using Meft.Core.Tokenization;

namespace Meft.Core.Evaluation;

/// <summary>
/// Encodes questions for a model. A prompt begins with the tokenizer's own beginning tokens; a choice is encoded apart from its prompt and joined to
/// it as it is given, as prompt and completion are in training.
/// </summary>
public sealed class EvalItems
{
    private readonly ITokenizer _tokenizer;
    private readonly ModelLimits _limits;
    private readonly Lazy<ContinuationEncoder> _continuation;

    private EvalItems(ITokenizer tokenizer, ModelLimits limits)
    {
        (_tokenizer, _limits) = (tokenizer, limits);
        _continuation = new(() => new ContinuationEncoder(tokenizer));
    }

    /// <summary>Encodes questions in order; a text becomes as many items as it has windows.</summary>
    /// <param name="questions">The questions.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="mostWindows">The most windows of texts, over all of them; null for all.</param>
    /// <exception cref="InvalidInputException">A question does not fit the model: the error names the record's file and line.</exception>
    public static IReadOnlyList<EvalItem> Encode(
        IReadOnlyList<EvalQuestion> questions, ITokenizer tokenizer, ModelLimits limits, int? mostWindows = null)
    {
        var encoder = new EvalItems(tokenizer, limits);
        // The windows of the only text there is can tell more about other texts than nothing.
        var isOneText = questions.DistinctBy(question => question.Cluster).Count() == 1;
        var items = new List<EvalItem>();
        var windows = 0;
        foreach (var question in questions)
        {
            switch (question)
            {
                case GenerateQuestion generate:
                    Add(question.Cluster, [encoder.Prompt(generate.Prompt, generate.Origin)]);
                    break;
                case ChooseQuestion choose:
                    Add(question.Cluster, [.. choose.Choices.Select(choice => encoder.PromptWith(choose, choice))]);
                    break;
                case TextQuestion text:
                    foreach (var window in encoder.Windows(text))
                    {
                        if (windows == mostWindows) break;
                        Add(isOneText ? windows : question.Cluster, [window]);
                        windows++;
                    }
                    break;
            }

            void Add(int cluster, IReadOnlyList<TokenRow> rows) => items.Add(new EvalItem(items.Count, question, cluster, rows));
        }
        return items;
    }

    private TokenRow Prompt(string text, RowOrigin origin) => PromptRows.Of(text, origin.ToString(), _tokenizer, _limits);

    private TokenRow PromptWith(ChooseQuestion question, string choice)
    {
        var prompt = Prompt(question.Prompt, question.Origin);
        var ids = _continuation.Value.Encode(choice);
        if (ids.Length == 0) throw Refuse(question, "a choice has no token", "at least one token");
        if (prompt.Length + ids.Length > _limits.MaxPositions)
        {
            throw Refuse(question, $"the prompt with a choice has {prompt.Length + ids.Length} tokens",
                $"at most {_limits.MaxPositions}, the model's positions");
        }
        return Checked(new TokenRow([.. prompt.InputIds, .. ids], [.. Enumerable.Repeat(TokenRow.Ignored, prompt.Length), .. ids], question.Origin));
    }

    /// <summary>
    /// The windows of a text: every token but the first is scored in exactly one. A window scores as many tokens as the stride says; those before
    /// them, as many as there is room for, are context.
    /// </summary>
    private IEnumerable<TokenRow> Windows(TextQuestion text)
    {
        int[] ids = [.. _tokenizer.BeginTokens, .. _tokenizer.Encode(text.Text, addSpecialTokens: false)];
        if (ids.Length < 2) throw Refuse(text, $"the text has {ids.Length} tokens", "at least two, for the first is not scored");
        var window = Math.Min(text.Part.Window ?? TaskPart.DefaultWindow, _limits.MaxPositions);
        var stride = text.Part.Stride ?? window - 1;
        if (stride >= window) throw Refuse(text, $"the task's stride is {stride} and a window has {window} tokens", "a stride below the window");
        for (var start = 1; start < ids.Length; start += stride)
        {
            var end = Math.Min(start + stride, ids.Length);
            var from = Math.Max(0, end - window);
            int[] piece = ids[from..end];
            yield return Checked(new TokenRow(piece, [.. Enumerable.Repeat(TokenRow.Ignored, start - from), .. ids[start..end]], text.Origin));
        }
    }

    private TokenRow Checked(TokenRow row)
    {
        _limits.RequireInVocabulary(row);
        return row;
    }

    private static InvalidInputException Refuse(EvalQuestion question, string problem, string allowed) =>
        new(problem, question.Origin.ToString(), allowed);
}
