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
    private const string ShortenOrTruncate = "Shorten it, leave the record out with when, or let the task cut prompts off with over_length: truncate";

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
                    Add(question.Cluster, [encoder.Prompt(generate, generate.Prompt, generate.Part.MaxNewTokens)]);
                    break;
                case ChooseQuestion choose:
                    Add(question.Cluster, encoder.Choices(choose));
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

    /// <summary>A prompt; where its task wants that, without as many of its earliest tokens as what follows lacks room. The tokenizer's own beginning tokens stay.</summary>
    private TokenRow Prompt(EvalQuestion question, string text, int following)
    {
        var begin = _tokenizer.BeginTokens;
        var ids = text.Length == 0 ? [] : _tokenizer.Encode(text, addSpecialTokens: false);
        if (question.Part.OverLength == LongPrompt.Refuse)
        {
            var length = begin.Count + ids.Length;
            if (length >= _limits.MaxPositions)
                throw Refuse(question, $"the prompt has {length} tokens", $"fewer than the model's {_limits.MaxPositions} positions", ShortenOrTruncate);
            return PromptRows.Of([.. begin, .. ids], question.Origin, _limits);
        }
        var room = _limits.MaxPositions - following - begin.Count;
        if (room < 1)
        {
            throw Refuse(question, $"what follows the prompt may have {following} tokens, which leaves the prompt none of the model's {_limits.MaxPositions} positions",
                $"at most {_limits.MaxPositions - begin.Count - 1} tokens");
        }
        return PromptRows.Of([.. begin, .. ids[Math.Max(0, ids.Length - room)..]], question.Origin, _limits);
    }

    private IReadOnlyList<TokenRow> Choices(ChooseQuestion question)
    {
        List<int[]> choices = [.. question.Choices.Select(_continuation.Value.Encode)];
        if (choices.Any(ids => ids.Length == 0)) throw Refuse(question, "a choice has no token", "at least one token");
        var prompt = Prompt(question, question.Prompt, choices.Max(ids => ids.Length));
        return [.. choices.Select(ids => Joined(question, prompt, ids))];
    }

    private TokenRow Joined(ChooseQuestion question, TokenRow prompt, int[] ids)
    {
        if (prompt.Length + ids.Length > _limits.MaxPositions)
        {
            throw Refuse(question, $"the prompt with a choice has {prompt.Length + ids.Length} tokens",
                $"at most {_limits.MaxPositions}, the model's positions", ShortenOrTruncate);
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

    private static InvalidInputException Refuse(EvalQuestion question, string problem, string allowed, string? nextStep = null) =>
        new(problem, question.Origin.ToString(), allowed, nextStep);
}
