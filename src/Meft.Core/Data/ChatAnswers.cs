using System.Text.Json;
using Meft.Core.Chat;
using Meft.Core.Chat.Jinja.Evaluation;

namespace Meft.Core.Data;

/// <summary>
/// Finds an assistant's answers in what a template renders. Where the template marks them (<c>{% generation %}</c>), these are the marks. Else
/// an answer begins where the conversation before it, rendered with the beginning of an answer, ends, and it ends where what the template
/// puts behind any answer begins; both are checked against the rendered text itself.
/// </summary>
internal sealed class ChatAnswers
{
    private const string Assistant = "assistant";

    /// <summary>Stands for an answer whose surroundings are looked at: characters that no text has, and that filters leave alone.</summary>
    private const string Probe = "\uE0F0\uE0F1\uE0F2";

    private static readonly JsonElement ProbeMessage = JsonSerializer.SerializeToElement(new { role = Assistant, content = Probe });

    private readonly ChatTemplate _template;
    private readonly MessagesRow _chat;
    private readonly JsonElement[] _messages;

    /// <exception cref="ChatTemplateException">The template does not take the conversation.</exception>
    public ChatAnswers(ChatTemplate template, MessagesRow chat)
    {
        _template = template;
        _chat = chat;
        _messages = [.. chat.Messages.EnumerateArray()];
        Whole = Render(_messages);
    }

    /// <summary>The whole conversation.</summary>
    public MarkedText Whole { get; }

    /// <summary>
    /// The conversation with all of its answers where they can stand together; else several texts, each holding some of the answers, every
    /// answer once. A conversation without an answer is one text.
    /// </summary>
    /// <exception cref="RowException">It cannot be told where an answer stands.</exception>
    /// <exception cref="ChatTemplateException">The template does not take a part of the conversation.</exception>
    public IReadOnlyList<AnsweredText> Find()
    {
        if (Whole.Marks.Count > 0) return [new AnsweredText(Whole.Text, Whole.Marks)];
        var answers = Enumerable.Range(0, _messages.Length).Where(i => RoleOf(_messages[i]) == Assistant).Select(FindLast).ToList();
        var texts = new List<AnsweredText>();
        AddText(Whole.Text, answers, texts);
        while (answers.Count > 0) AddText(answers[^1].Text, answers, texts);
        return texts.Count > 0 ? texts : [new AnsweredText(Whole.Text, [])];
    }

    /// <summary>The error of a conversation that the template does not take.</summary>
    public static RowException NotTaken(ChatTemplateException e, RowOrigin origin) => new(
        $"the model's chat template does not take the conversation: {e.RaisedText ?? e.Problem}", origin, null, e.NextStep, e);

    /// <summary>Takes the answers that stand in a text as they stand in the conversation that ends with them.</summary>
    private static void AddText(string text, List<(string Text, Range Place)> answers, List<AnsweredText> texts)
    {
        var standing = answers.Where(a => text.AsSpan().StartsWith(a.Text.AsSpan(0, a.Place.End.Value))).ToList();
        if (standing.Count == 0) return;
        texts.Add(new AnsweredText(text, [.. standing.Select(a => a.Place)]));
        answers.RemoveAll(standing.Contains);
    }

    /// <summary>The conversation up to an answer, and where that stands in it.</summary>
    private (string Text, Range Place) FindLast(int index)
    {
        var before = _messages[..index];
        var text = index == _messages.Length - 1 ? Whole.Text : Render(_messages[..(index + 1)]).Text;
        var probe = TryRender([.. before, ProbeMessage], addGenerationPrompt: false) is { } probed && probed.Split(Probe) is [var head, var tail]
            ? (head, tail)
            : ((string Head, string Tail)?)null;
        var prompt = TryRender(before, addGenerationPrompt: true);
        // Where the template does not begin an answer when asked to, what it puts before one is no part of the answer.
        var isPrompted = prompt is not null && prompt != TryRender(before, addGenerationPrompt: false);
        string?[] heads = isPrompted ? [prompt, probe?.Head] : [probe?.Head, prompt];
        if (probe is null || heads.FirstOrDefault(h => h is not null && text.StartsWith(h, StringComparison.Ordinal)) is not { } start
            || !text.EndsWith(probe.Value.Tail, StringComparison.Ordinal) || start.Length > text.Length - probe.Value.Tail.Length)
        {
            throw new RowException(
                $"the model's chat template does not show where message {index}, an answer, begins or ends in what it renders", _chat.Origin,
                "a template with {% generation %} marks, or one that renders an answer after what it renders before it",
                "Train the whole conversation with data.train_on_prompt: true, or write the row as {\"prompt\",\"completion\"}");
        }
        return (text, start.Length..(text.Length - probe.Value.Tail.Length));
    }

    private static string? RoleOf(JsonElement message) => message.GetProperty("role").GetString();

    private MarkedText Render(IEnumerable<JsonElement> messages) => _template.RenderMarked(messages, addGenerationPrompt: false, _chat.Variables);

    private string? TryRender(IEnumerable<JsonElement> messages, bool addGenerationPrompt)
    {
        try
        {
            return _template.RenderMarked(messages, addGenerationPrompt, _chat.Variables).Text;
        }
        catch (ChatTemplateException)
        {
            // No conversation is refused for what only serves to look at the template.
            return null;
        }
    }
}
