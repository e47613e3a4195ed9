using Meft.Core.Chat;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>
/// Makes tokens and labels of rows. Text forms begin with the tokenizer's own beginning tokens, never trained; a prompt and its
/// completion are encoded separately; a trained text or completion ends with the model's end token, trained. Ids are taken as they are.
/// </summary>
public sealed class RowTokenizer
{
    private readonly ITokenizer _tokenizer;
    private readonly Lazy<ContinuationEncoder> _continuation;
    private readonly Lazy<int[]> _begin;
    private readonly int[] _end;
    private readonly bool _trainOnPrompt;
    private readonly ChatTokenizer? _chat;

    /// <param name="tokenizer">Encodes the texts.</param>
    /// <param name="endToken">The model's end token; null where it has none.</param>
    /// <param name="trainOnPrompt">Whether a prompt is trained too.</param>
    /// <param name="template">Gives the model's chat template when it is first needed; null where no row is a conversation.</param>
    public RowTokenizer(ITokenizer tokenizer, int? endToken, bool trainOnPrompt, Func<ChatTemplate>? template = null)
    {
        _tokenizer = tokenizer;
        // Rows of ids need no tokenizer, and there may be none.
        _continuation = new(() => new ContinuationEncoder(tokenizer));
        _begin = new(() => [.. tokenizer.BeginTokens]);
        _end = endToken is { } end ? [end] : [];
        _trainOnPrompt = trainOnPrompt;
        if (template is not null) _chat = new ChatTokenizer(tokenizer, template, endToken, trainOnPrompt);
    }

    /// <summary>The row as rows of tokens, however long: one, but for conversations whose answers cannot stand in one row.</summary>
    /// <exception cref="RowException">The row is a conversation that the template does not take, or in which answers are not found.</exception>
    public IReadOnlyList<TokenRow> TokenizeRows(RawRow row) =>
        row is MessagesRow chat && _chat is not null ? _chat.Tokenize(chat) : [Tokenize(row)];

    /// <summary>A row that is no conversation as one row of tokens, however long. A row without a trained part (a prompt alone) has no trained label.</summary>
    public TokenRow Tokenize(RawRow row) => row switch
    {
        TextRow text => Join(text.Origin, (_begin.Value, false), (Encode(text.Text), true), (_end, text.Text.Length > 0)),
        PromptRow prompt => Join(prompt.Origin, (_begin.Value, false), (Encode(prompt.Prompt), false)),
        PromptCompletionRow pair => Join(
            pair.Origin, (_begin.Value, false), (Encode(pair.Prompt), _trainOnPrompt), (_continuation.Value.Encode(pair.Completion), true),
            (_end, pair.Completion.Length > 0)),
        InstructionRow { Output: null } task => Tokenize(new PromptRow(task.Origin, AlpacaPrompt.Of(task.Instruction, task.Input))),
        InstructionRow { Output: { } answer } task =>
            Tokenize(new PromptCompletionRow(task.Origin, AlpacaPrompt.Of(task.Instruction, task.Input), answer)),
        TokenIdsRow ids => new TokenRow(ids.InputIds, ids.Labels ?? ids.InputIds, ids.Origin),
        _ => throw new ArgumentException($"rows of type {row.GetType().Name} have no tokenisation", nameof(row)),
    };

    /// <summary>
    /// Cuts a text's tokens into rows of at most <paramref name="maxLength"/>, each beginning with the beginning tokens; only the last
    /// one ends with the end token. No token is lost.
    /// </summary>
    /// <param name="text">A text row's tokens, as <see cref="Tokenize"/> gives them.</param>
    /// <param name="maxLength">More than the beginning tokens.</param>
    public IEnumerable<TokenRow> Cut(TokenRow text, int maxLength)
    {
        if (text.Length <= maxLength) return [text];
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maxLength, _begin.Value.Length);
        return CutLong(text, maxLength);
    }

    private IEnumerable<TokenRow> CutLong(TokenRow text, int maxLength)
    {
        var room = maxLength - _begin.Value.Length;
        var content = text.InputIds.AsMemory(_begin.Value.Length);
        while (content.Length > 0)
        {
            var take = Math.Min(room, content.Length);
            // The end token alone would make a row that says nothing: it takes the token before it along.
            if (content.Length - take == 1 && take > 1) take--;
            yield return Join(text.Origin, (_begin.Value, false), (content[..take].ToArray(), true));
            content = content[take..];
        }
    }

    private int[] Encode(string text) => text.Length == 0 ? [] : _tokenizer.Encode(text, addSpecialTokens: false);

    private static TokenRow Join(RowOrigin origin, params ReadOnlySpan<(int[] Ids, bool Trained)> parts)
    {
        var ids = new List<int>();
        var labels = new List<int>();
        foreach (var (partIds, trained) in parts)
        {
            ids.AddRange(partIds);
            labels.AddRange(trained ? partIds : Enumerable.Repeat(TokenRow.Ignored, partIds.Length));
        }
        return new TokenRow([.. ids], [.. labels], origin);
    }
}
