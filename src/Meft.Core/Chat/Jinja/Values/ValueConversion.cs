using System.Text.Json;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>Turns JSON into values of a template.</summary>
internal static class ValueConversion
{
    public static Value FromJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => new TextValue(json.GetString()!),
        JsonValueKind.True => BooleanValue.True,
        JsonValueKind.False => BooleanValue.False,
        JsonValueKind.Number => json.TryGetInt64(out var integer) ? new IntegerValue(integer) : new FloatValue(json.GetDouble()),
        JsonValueKind.Array => new ListValue([.. json.EnumerateArray().Select(FromJson)]),
        JsonValueKind.Object => MapValue.Of(json.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, FromJson(member.Value)))),
        _ => NoneValue.Instance,
    };
}
