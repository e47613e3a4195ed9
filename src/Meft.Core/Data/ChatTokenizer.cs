using Meft.Core.Chat;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>
/// Makes rows of a conversation: exactly what the model's template renders, the assistant's answers trained with the token that ends each.
/// Where the template changes an answer once others follow it (leaves its reasoning out, for example), each such answer has a row of its own,
/// which ends with it, so that every answer is trained as the model will have to give it.
/// </summary>
internal sealed class ChatTokenizer(ITokenizer tokenizer, Func<ChatTemplate> template, int? endToken, bool trainOnPrompt)
{
    /// <summary>The rows of a conversation; without trained labels where nothing in it is an answer.</summary>
    /// <exception cref="RowException">The template does not take the conversation, or does not show where an answer is.</exception>
    public IReadOnlyList<TokenRow> Tokenize(MessagesRow chat)
    {
        var loaded = template();
        try
        {
            var answers = new ChatAnswers(loaded, chat);
            if (trainOnPrompt) return [TrainedWhole(answers.Whole.Text, chat.Origin)];
            List<TokenRow> rows = [.. answers.Find().Select(text => Labelled(text, chat.Origin))];
            return rows.Exists(row => row.TrainedTokens > 0) ? rows.FindAll(row => row.TrainedTokens > 0) : rows[..1];
        }
        catch (ChatTemplateException e)
        {
            throw ChatAnswers.NotTaken(e, chat.Origin);
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair, written as an escape in JSON.
            throw new RowException("the conversation holds a character that Unicode does not have", chat.Origin, "Unicode text", null, e);
        }
    }

    private TokenRow TrainedWhole(string text, RowOrigin origin)
    {
        var ids = tokenizer.Encode(text, addSpecialTokens: false);
        return new TokenRow(ids, [.. ids], origin);
    }

    private TokenRow Labelled(AnsweredText text, RowOrigin origin)
    {
        var (ids, tokens) = tokenizer.Align(text.Text, [.. text.Answers.SelectMany(a => new[] { a.Start.Value, a.End.Value })]);
        var labels = new int[ids.Length];
        Array.Fill(labels, TokenRow.Ignored);
        for (var i = 0; i < tokens.Length; i += 2)
        {
            // Nothing was answered: an end alone is not worth learning, as of an empty completion.
            if (text.Text.AsSpan()[text.Answers[i / 2]].IsWhiteSpace()) continue;
            if (tokens[i] is not { } first || tokens[i + 1] is not { } end)
            {
                throw new RowException(
                    $"it cannot be told which tokens answer {i / 2} of the conversation has", origin, null,
                    "Train the whole conversation with data.train_on_prompt: true, or write the row as {\"prompt\",\"completion\"}");
            }
            end = WithItsEnd(ids, end);
            ids.AsSpan(first, Math.Max(0, end - first)).CopyTo(labels.AsSpan(first));
        }
        return new TokenRow(ids, labels, origin);
    }

    /// <summary>Where the answer ends once the token that ends it, and white space before that, belong to it.</summary>
    private int WithItsEnd(int[] ids, int end)
    {
        if (end > 0 && IsEnd(ids[end - 1])) return end;
        var next = end;
        while (next < ids.Length && !IsEnd(ids[next]) && string.IsNullOrWhiteSpace(tokenizer.Decode(ids.AsSpan(next, 1), skipSpecialTokens: false))) next++;
        return next < ids.Length && IsEnd(ids[next]) ? next + 1 : end;
    }

    private bool IsEnd(int id) => id == endToken || tokenizer.IsSpecial(id);
}
