using System.Text.Json;
using Meft.Core.Configuration;

namespace Meft.Core.Data;

/// <summary>Reads one JSON object as a row; its own keys tell the form.</summary>
internal static class JsonRow
{
    /// <summary>The keys of every form, for error texts.</summary>
    public const string AllowedKeys =
        "{\"text\"}, {\"prompt\",\"completion\"}, {\"messages\"}, {\"instruction\",\"input\",\"output\"} or {\"input_ids\",\"labels\"}, further keys being ignored";

    private static readonly (RowFormat Format, string Key)[] TellingKeys =
    [
        (RowFormat.InputIds, "input_ids"), (RowFormat.Messages, "messages"), (RowFormat.Instruction, "instruction"),
        (RowFormat.PromptCompletion, "prompt"), (RowFormat.Text, "text"),
    ];

    /// <summary>Whether a key tells a form.</summary>
    public static bool IsTellingKey(string key) => TellingKeys.Any(k => k.Key == key);

    /// <summary>Reads a row.</summary>
    /// <param name="row">What should be an object.</param>
    /// <param name="origin">Where it stands.</param>
    /// <param name="wanted">The form it must have; <see cref="RowFormat.Auto"/> for any.</param>
    /// <returns>The row and its form.</returns>
    /// <exception cref="RowException">It is no object, of another form, or has values of wrong types.</exception>
    public static (RawRow Row, RowFormat Format) Read(JsonElement row, RowOrigin origin, RowFormat wanted)
    {
        if (row.ValueKind != JsonValueKind.Object) throw Refuse($"the row is {KindOf(row)}, not a JSON object", origin);
        var format = wanted == RowFormat.Auto ? Tell(row, origin) : wanted;
        return (ReadAs(format, row, origin), format);
    }

    /// <summary>The keys that a form needs, for error texts.</summary>
    public static string KeysOf(RowFormat format) => format switch
    {
        RowFormat.Text => "{\"text\"}",
        RowFormat.PromptCompletion => "{\"prompt\",\"completion\"}",
        RowFormat.Messages => "{\"messages\"}",
        RowFormat.Instruction => "{\"instruction\",\"input\",\"output\"}",
        RowFormat.InputIds => "{\"input_ids\",\"labels\"}",
        _ => AllowedKeys,
    };

    private static RowFormat Tell(JsonElement row, RowOrigin origin)
    {
        var found = TellingKeys.Where(k => row.TryGetProperty(k.Key, out _)).ToList();
        if (found.Count == 1) return found[0].Format;
        var keys = string.Join(", ", row.EnumerateObject().Select(p => $"\"{p.Name}\"").Take(8));
        throw found.Count == 0
            ? Refuse(keys.Length == 0 ? "the row has no keys" : $"the row's keys ({keys}) are those of no known form", origin)
            : new RowException(
                $"the row could be read in {found.Count} ways: by {string.Join(" or ", found.Select(f => $"\"{f.Key}\""))}", origin,
                AllowedKeys, "Say which with data.format");
    }

    private static RawRow ReadAs(RowFormat format, JsonElement row, RowOrigin origin)
    {
        switch (format)
        {
            case RowFormat.Text:
                return new TextRow(origin, Text(row, "text", format, origin));
            case RowFormat.PromptCompletion when row.TryGetProperty("completion", out _):
                return new PromptCompletionRow(origin, Text(row, "prompt", format, origin), Text(row, "completion", format, origin));
            case RowFormat.PromptCompletion:
                return new PromptRow(origin, Text(row, "prompt", format, origin));
            case RowFormat.InputIds:
                return TokenIds(row, origin);
            case RowFormat.Messages:
                return new MessagesRow(origin, Messages(row, origin), Tools(row, origin));
            case RowFormat.Instruction:
                return new InstructionRow(
                    origin, Text(row, "instruction", format, origin), OptionalText(row, "input", format, origin), OptionalText(row, "output", format, origin));
            default:
                throw new ArgumentOutOfRangeException(nameof(format), format, "a form that is told from the row");
        }
    }

    private static JsonElement Messages(JsonElement row, RowOrigin origin)
    {
        const string allowed = "a list of {\"role\",\"content\"}";
        var messages = Property(row, "messages", RowFormat.Messages, origin);
        if (messages.ValueKind != JsonValueKind.Array) throw Refuse($"\"messages\" is {KindOf(messages)}", origin, allowed);
        if (messages.GetArrayLength() == 0) throw Refuse("\"messages\" is empty", origin, allowed);
        var i = 0;
        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind != JsonValueKind.Object) throw Refuse($"message {i} is {KindOf(message)}", origin, allowed);
            if (!message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
                throw Refuse($"message {i} has no \"role\" that is a string", origin, allowed);
            i++;
        }
        return messages;
    }

    private static JsonElement? Tools(JsonElement row, RowOrigin origin)
    {
        if (!row.TryGetProperty("tools", out var tools) || tools.ValueKind == JsonValueKind.Null) return null;
        return tools.ValueKind == JsonValueKind.Array ? tools : throw Refuse($"\"tools\" is {KindOf(tools)}", origin, "a list of tools, as the chat template takes them");
    }

    private static string? OptionalText(JsonElement row, string key, RowFormat format, RowOrigin origin) =>
        row.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? Text(row, key, format, origin) : null;

    private static TokenIdsRow TokenIds(JsonElement row, RowOrigin origin)
    {
        var ids = Integers(row, "input_ids", origin);
        if (!row.TryGetProperty("labels", out _)) return new TokenIdsRow(origin, ids, null);
        var labels = Integers(row, "labels", origin);
        return labels.Length == ids.Length
            ? new TokenIdsRow(origin, ids, labels)
            : throw Refuse($"\"input_ids\" has {ids.Length} entries and \"labels\" {labels.Length}", origin, "as many labels as ids, -100 where not trained");
    }

    private static JsonElement Property(JsonElement row, string key, RowFormat format, RowOrigin origin) =>
        row.TryGetProperty(key, out var value) ? value : throw Refuse($"the row has no \"{key}\"", origin, KeysOf(format));

    private static string Text(JsonElement row, string key, RowFormat format, RowOrigin origin)
    {
        var value = Property(row, key, format, origin);
        if (value.ValueKind != JsonValueKind.String) throw Refuse($"\"{key}\" is {KindOf(value)}", origin, "a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair, written as an escape.
            throw new RowException($"\"{key}\" holds a character that Unicode does not have", origin, "Unicode text", null, e);
        }
    }

    private static int[] Integers(JsonElement row, string key, RowOrigin origin)
    {
        var value = Property(row, key, RowFormat.InputIds, origin);
        if (value.ValueKind != JsonValueKind.Array) throw Refuse($"\"{key}\" is {KindOf(value)}", origin, "a list of whole numbers");
        var numbers = new int[value.GetArrayLength()];
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out numbers[i]))
                throw Refuse($"entry {i} of \"{key}\" is {(item.ValueKind == JsonValueKind.Number ? item.GetRawText() : KindOf(item))}", origin, "whole numbers");
            i++;
        }
        return numbers;
    }

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    private static RowException Refuse(string problem, RowOrigin origin, string allowed = AllowedKeys) => new(problem, origin, allowed);
}
