using System.Globalization;
using System.Text;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>
/// Values as JSON, spelt as transformers' <c>tojson</c> does (Python's <c>json.dumps</c>): separators <c>", "</c> and <c>": "</c>, nothing
/// escaped that need not be.
/// </summary>
internal sealed class JsonText(int? indent, bool ensureAscii, bool sortKeys, string itemSeparator, string keySeparator)
{
    private readonly BoundedText _output = new();

    public string Write(Value value)
    {
        Write(value, depth: 0);
        return _output.ToString();
    }

    private void Write(Value value, int depth)
    {
        TemplateLimitException.ThrowIfTooDeep();
        switch (value)
        {
            case NoneValue: _output.Append("null"); break;
            case BooleanValue boolean: _output.Append(boolean.IsTrue ? "true" : "false"); break;
            case IntegerValue integer: _output.Append(integer.Value.ToString(CultureInfo.InvariantCulture)); break;
            case FloatValue number: _output.Append(FloatText(number.AsDouble)); break;
            case TextValue text: WriteString(text.Text); break;
            case ListValue list: WriteItems("[", "]", list.Items, depth, item => Write(item, depth + 1)); break;
            case MapValue map: WriteItems("{", "}", Sorted(map), depth, member => WriteMember(member, depth + 1)); break;
            default: throw new JinjaException($"Object of type {value.TypeName} is not JSON serializable");
        }
    }

    private List<KeyValuePair<Value, Value>> Sorted(MapValue map) => sortKeys
        ? ValueComparer.Sort(map.Members, member => member.Key)
        : [.. map.Members];

    private void WriteMember(KeyValuePair<Value, Value> member, int depth)
    {
        WriteString(member.Key switch
        {
            TextValue text => text.Text,
            NoneValue => "null",
            BooleanValue boolean => boolean.IsTrue ? "true" : "false",
            IntegerValue or FloatValue => ValueText.Plain(member.Key),
            _ => throw new JinjaException($"keys must be str, int, float, bool or None, not {member.Key.TypeName}"),
        });
        _output.Append(keySeparator);
        Write(member.Value, depth);
    }

    private void WriteItems<T>(string open, string close, IReadOnlyList<T> items, int depth, Action<T> write)
    {
        _output.Append(open);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0) _output.Append(itemSeparator);
            BreakLine(depth + 1);
            write(items[i]);
        }
        if (items.Count > 0) BreakLine(depth);
        _output.Append(close);
    }

    private void BreakLine(int depth)
    {
        if (indent is { } width) _output.Append("\n" + new string(' ', width * depth));
    }

    private static string FloatText(double value) => value switch
    {
        double.NaN => "NaN",
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        _ => ValueText.OfFloat(value),
    };

    private void WriteString(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)character:x4}",
                > '~' when ensureAscii => $"\\u{(int)character:x4}",
                _ => character.ToString(),
            });
        }
        _output.Append(quoted.Append('"').ToString());
    }
}
