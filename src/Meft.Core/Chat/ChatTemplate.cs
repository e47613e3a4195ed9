using System.Text.Json;
using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Evaluation;
using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Tokenization;

namespace Meft.Core.Chat;

/// <summary>
/// A model's own chat template: turns a conversation into the text that the model was trained on. Safe to use from several threads.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>The name of a template that has a file of its own.</summary>
    public const string FileName = "chat_template.jinja";

    private readonly JinjaTemplate _template;
    private readonly string _file;
    private readonly IReadOnlyDictionary<string, string> _specialTokens;
    private readonly TimeProvider _time;

    private ChatTemplate(
        JinjaTemplate template, string text, string file, IReadOnlyDictionary<string, string> specialTokens, TimeProvider time)
    {
        _template = template;
        _file = file;
        _specialTokens = specialTokens;
        _time = time;
        Text = text;
    }

    /// <summary>The template's source text.</summary>
    public string Text { get; }

    /// <summary>The file it comes from.</summary>
    public string Source => _file;

    /// <summary>
    /// Reads the template of a model: <c>chat_template.jinja</c>, else <c>chat_template</c> of <c>tokenizer_config.json</c>.
    /// </summary>
    /// <param name="folder">The model's folder; or a .gguf file, which holds the template in its metadata.</param>
    /// <param name="time">The clock behind <c>strftime_now</c>; the system's by default.</param>
    /// <exception cref="ChatTemplateException">The model has no template, or it is not valid.</exception>
    /// <exception cref="TokenizerFileException"><c>tokenizer_config.json</c> is damaged.</exception>
    public static ChatTemplate Load(string folder, TimeProvider? time = null) => TryLoad(folder, time)
        ?? throw new ChatTemplateException(
            folder, 0, $"the model has no chat template: neither {FileName} nor chat_template in {TokenizerConfig.FileName}");

    /// <summary>Whether a folder has a template, be it valid or not.</summary>
    /// <exception cref="Errors.InvalidInputException"><c>tokenizer_config.json</c> is damaged.</exception>
    internal static bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, FileName)) || TokenizerConfig.Load(folder).ChatTemplate is not null;

    /// <summary>As <see cref="Load"/>; null where the model has no template.</summary>
    public static ChatTemplate? TryLoad(string folder, TimeProvider? time = null)
    {
        var config = TokenizerConfig.Load(folder);
        var file = Path.Combine(folder, FileName);
        if (File.Exists(file)) return Parse(ReadText(file), file, config.SpecialTokens, time);
        return config.ChatTemplate is { } text
            ? Parse(text, config.File, config.SpecialTokens, time)
            : null;
    }

    /// <summary>Makes a template from its source.</summary>
    /// <param name="text">The source, in Jinja.</param>
    /// <param name="file">The file to name in errors.</param>
    /// <param name="specialTokens">Texts by variable, such as <c>bos_token</c>.</param>
    /// <param name="time">The clock behind <c>strftime_now</c>; the system's by default.</param>
    /// <exception cref="ChatTemplateException">The text is no template.</exception>
    public static ChatTemplate Parse(
        string text, string file, IReadOnlyDictionary<string, string> specialTokens, TimeProvider? time = null)
    {
        try
        {
            return new ChatTemplate(JinjaTemplate.Parse(text), text, file, specialTokens, time ?? TimeProvider.System);
        }
        catch (JinjaException error)
        {
            throw new ChatTemplateException(file, error.Line, error.Message, cause: error);
        }
    }

    /// <summary>Renders a conversation.</summary>
    /// <param name="messages">The messages, in order.</param>
    /// <param name="addGenerationPrompt">Whether the text ends with the beginning of an answer, for the model to go on from.</param>
    /// <param name="variables">Further variables, such as <c>tools</c> or <c>enable_thinking</c>; they win over special tokens.</param>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, fails on it, or takes too long.</exception>
    public string Render(
        IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement>? variables = null) =>
        Render(() => new ListValue([.. messages.Select(ToValue)]), addGenerationPrompt, variables).Text;

    /// <summary>
    /// Renders a conversation whose messages may have any members that the template knows: <c>tool_calls</c>, lists of content.
    /// </summary>
    /// <param name="messages">An array of objects.</param>
    /// <param name="addGenerationPrompt">Whether the text ends with the beginning of an answer, for the model to go on from.</param>
    /// <param name="variables">Further variables, such as <c>tools</c> or <c>enable_thinking</c>; they win over special tokens.</param>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, fails on it, or takes too long.</exception>
    public string Render(JsonElement messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement>? variables = null) =>
        Render(() => ValueConversion.FromJson(messages), addGenerationPrompt, variables).Text;

    /// <summary>As <see cref="Render(JsonElement, bool, IReadOnlyDictionary{string, JsonElement}?)"/>, with what the template marks as generated.</summary>
    internal MarkedText RenderMarked(IEnumerable<JsonElement> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement>? variables) =>
        Render(() => new ListValue([.. messages.Select(ValueConversion.FromJson)]), addGenerationPrompt, variables);

    private MarkedText Render(Func<Value> messages, bool addGenerationPrompt, IReadOnlyDictionary<string, JsonElement>? variables)
    {
        try
        {
            // transformers always passes tools and documents, as None where there are none.
            var all = new Dictionary<string, Value>
            {
                ["messages"] = messages(),
                ["tools"] = NoneValue.Instance,
                ["documents"] = NoneValue.Instance,
                ["add_generation_prompt"] = Value.Of(addGenerationPrompt),
            };
            foreach (var (name, token) in _specialTokens) all[name] = new TextValue(token);
            foreach (var (name, value) in variables ?? new Dictionary<string, JsonElement>()) all[name] = ValueConversion.FromJson(value);
            return _template.RenderMarked(all, _time);
        }
        catch (TemplateRaisedException error)
        {
            var problem = $"the template refuses the conversation: {error.Message}";
            throw new ChatTemplateException(_file, error.Line, problem, raisedText: error.Message, error);
        }
        catch (JinjaException error)
        {
            throw new ChatTemplateException(_file, error.Line, error.Message, cause: error);
        }
    }

    private static MapValue ToValue(ChatMessage message) => MapValue.Of(
    [
        KeyValuePair.Create("role", (Value)new TextValue(message.Role)),
        KeyValuePair.Create("content", (Value)new TextValue(message.Content)),
    ]);

    private static string ReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ChatTemplateException(file, 0, $"cannot be read: {error.Message}", cause: error);
        }
    }
}
