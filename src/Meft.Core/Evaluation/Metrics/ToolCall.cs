using System.Text.Json;
using System.Text.Json.Nodes;

namespace Meft.Core.Evaluation.Metrics;

/// <summary>A call of a tool, read from a text.</summary>
/// <param name="Tool">The tool's name.</param>
/// <param name="Arguments">Its arguments; null where they are no JSON.</param>
public sealed record ToolCall(string Tool, JsonNode? Arguments)
{
    private const string Action = "Action:", Input = "Action Input:";

    private static readonly JsonDocumentOptions EachKeyOnce = new() { AllowDuplicateProperties = false };

    /// <summary>
    /// Reads a call, or gives null. It stands in the text in one of two ways: as a JSON object with <c>name</c> and <c>arguments</c> (which may be
    /// JSON within a text), whatever is around it; or, as ToolBench's models write it, in lines <c>Action: NAME</c> and
    /// <c>Action Input: {…}</c>, where a prompt may have given the word <c>Action:</c> already. The first call counts.
    /// </summary>
    public static ToolCall? Find(string text)
    {
        var input = text.IndexOf(Input, StringComparison.Ordinal);
        if (input >= 0)
        {
            var action = text.LastIndexOf(Action, input, StringComparison.Ordinal);
            var name = text[(action < 0 ? 0 : action + Action.Length)..input].Trim();
            return name.Length == 0 || name.Contains('\n', StringComparison.Ordinal) ? null : new ToolCall(name, FirstObject(text, input + Input.Length));
        }
        for (var start = text.IndexOf('{', StringComparison.Ordinal); start >= 0; start = text.IndexOf('{', start + 1))
        {
            if (FirstObject(text, start) is not { } found) continue;
            if (found["name"] is JsonValue value && value.TryGetValue<string>(out var name) && found["arguments"] is { } arguments)
                return new ToolCall(name, Unwrapped(arguments));
        }
        return null;
    }

    /// <summary>Whether the arguments are the same: the same keys with the same values, in whatever order.</summary>
    public bool HasSameArguments(ToolCall other) => Arguments is not null && other.Arguments is not null && AreSame(Arguments, other.Arguments);

    private static JsonNode? Unwrapped(JsonNode arguments) =>
        arguments is JsonValue value && value.TryGetValue<string>(out var text) ? FirstObject(text, 0) : arguments;

    /// <summary>The object that begins at the first brace from a place on; null where none does that is complete and has each key once.</summary>
    private static JsonObject? FirstObject(string text, int from)
    {
        var start = text.IndexOf('{', from);
        if (start < 0 || EndOf(text, start) is not { } end) return null;
        try
        {
            return JsonNode.Parse(text[start..end], null, EachKeyOnce) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The place after the brace that closes the one at a place, braces in texts not counted; null where none does.</summary>
    private static int? EndOf(string text, int start)
    {
        var (depth, isText) = (0, false);
        for (var i = start; i < text.Length; i++)
        {
            if (isText && text[i] == '\\') i++;
            else if (text[i] == '"') isText = !isText;
            else if (!isText && text[i] == '{') depth++;
            else if (!isText && text[i] == '}' && --depth == 0) return i + 1;
        }
        return null;
    }

    private static bool AreSame(JsonNode? a, JsonNode? b) => (a, b) switch
    {
        (JsonObject x, JsonObject y) => x.Count == y.Count && x.All(member => y.TryGetPropertyValue(member.Key, out var other) && AreSame(member.Value, other)),
        (JsonArray x, JsonArray y) => x.Count == y.Count && x.Zip(y).All(pair => AreSame(pair.First, pair.Second)),
        _ => JsonNode.DeepEquals(a, b),
    };
}
