using System.Text.Json;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>Turns JSON into values of a template.</summary>
internal static class ValueConversion
{
    /// <exception cref="JinjaException">A text holds half of a surrogate pair, which is no Unicode.</exception>
    public static Value FromJson(JsonElement json)
    {
        try
        {
            return Convert(json);
        }
        catch (InvalidOperationException error)
        {
            throw new JinjaException($"a text of the input is not valid Unicode: {error.Message}");
        }
    }

    private static Value Convert(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => new TextValue(json.GetString()!),
        JsonValueKind.True => BooleanValue.True,
        JsonValueKind.False => BooleanValue.False,
        JsonValueKind.Number => json.TryGetInt64(out var integer) ? new IntegerValue(integer) : new FloatValue(json.GetDouble()),
        JsonValueKind.Array => new ListValue([.. json.EnumerateArray().Select(Convert)]),
        JsonValueKind.Object => MapValue.Of(
            json.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, Convert(member.Value)))),
        _ => NoneValue.Instance,
    };
}
