using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>Reads prompts to continue; every one is checked, so that an error names the row's file and line.</summary>
public static class PromptRows
{
    private const string Allowed = "{\"prompt\"}, {\"messages\"}, {\"instruction\",\"input\"} or {\"input_ids\"}";

    /// <summary>Reads the prompts of a file in order, lazily.</summary>
    /// <param name="path">A file of rows; of <c>{"prompt","completion"}</c> the completion is left out.</param>
    /// <param name="tokenizer">The model's tokenizer; not used for rows of ids.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="template">Gives the model's chat template; called where the file has conversations.</param>
    /// <exception cref="InvalidInputException">The file or a row cannot be read, or a row cannot be continued.</exception>
    public static IEnumerable<TokenRow> Read(string path, ITokenizer tokenizer, ModelLimits limits, Func<ChatTemplate> template)
    {
        var rows = new RowTokenizer(tokenizer, limits.EndToken, trainOnPrompt: false);
        foreach (var raw in RowFile.Read(path, RowFormat.Auto, tokenizer, limits.MaxPositions))
        {
            var row = raw is MessagesRow chat ? Render(chat, tokenizer, template(), addGenerationPrompt: true) : rows.Tokenize(PromptOf(raw));
            yield return Checked(row, limits);
        }
    }

    /// <summary>A prompt that was given directly.</summary>
    /// <param name="text">The prompt.</param>
    /// <param name="name">What error texts call it, for example the option it was given by.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="limits">What the model takes.</param>
    /// <exception cref="InvalidInputException">The prompt is empty or too long for the model.</exception>
    public static TokenRow Of(string text, string name, ITokenizer tokenizer, ModelLimits limits) =>
        Checked(new RowTokenizer(tokenizer, limits.EndToken, trainOnPrompt: false).Tokenize(new PromptRow(new RowOrigin(name, 0), text)), limits);

    /// <summary>A prompt whose tokens are known.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="origin">Where it comes from.</param>
    /// <param name="limits">What the model takes.</param>
    /// <exception cref="InvalidInputException">As the other overload.</exception>
    public static TokenRow Of(int[] ids, RowOrigin origin, ModelLimits limits) =>
        Checked(new TokenRow(ids, [.. Enumerable.Repeat(TokenRow.Ignored, ids.Length)], origin), limits);

    /// <summary>A conversation as exactly what the template renders: no special token is added to it, and no label is trained.</summary>
    /// <param name="chat">The conversation.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="template">The model's chat template.</param>
    /// <param name="addGenerationPrompt">Whether the row ends with the beginning of an answer.</param>
    /// <exception cref="InvalidInputException">The template does not take the conversation.</exception>
    public static TokenRow Render(MessagesRow chat, ITokenizer tokenizer, ChatTemplate template, bool addGenerationPrompt)
    {
        string text;
        try
        {
            text = template.Render(chat.Messages, addGenerationPrompt, chat.Variables);
        }
        catch (ChatTemplateException e)
        {
            throw ChatAnswers.NotTaken(e, chat.Origin);
        }
        var ids = tokenizer.Encode(text, addSpecialTokens: false);
        return new TokenRow(ids, [.. Enumerable.Repeat(TokenRow.Ignored, ids.Length)], chat.Origin);
    }

    private static RawRow PromptOf(RawRow row) => row switch
    {
        PromptRow or TokenIdsRow => row,
        PromptCompletionRow pair => new PromptRow(pair.Origin, pair.Prompt),
        InstructionRow task => task with { Output = null },
        _ => throw new InvalidInputException("the row is no prompt", row.Origin.ToString(), Allowed),
    };

    private static TokenRow Checked(TokenRow row, ModelLimits limits)
    {
        limits.RequireInVocabulary(row);
        if (row.Length == 0)
        {
            throw new InvalidInputException(
                "the prompt has no token, and this model puts none before a text", row.Origin.ToString(), "at least one token", "Add text");
        }
        if (row.Length < limits.MaxPositions) return row;
        throw new InvalidInputException(
            $"the prompt has {row.Length} tokens", row.Origin.ToString(), $"fewer than the model's {limits.MaxPositions} positions", "Shorten it");
    }
}
