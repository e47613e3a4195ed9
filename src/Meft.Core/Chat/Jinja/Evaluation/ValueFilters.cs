using System.Globalization;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>Filters for values of any type, numbers, and JSON.</summary>
internal static class ValueFilters
{
    public static readonly Dictionary<string, FilterFunction> All = new()
    {
        ["default"] = Default,
        ["d"] = Default,
        ["length"] = (_, input, _) => new IntegerValue(LengthOf(input)),
        ["count"] = (_, input, _) => new IntegerValue(LengthOf(input)),
        ["string"] = (_, input, _) => new TextValue(ValueText.Plain(input)),
        ["tojson"] = ToJson,
        ["attr"] = (_, input, call) =>
            input.Member(call.Text(0, "name") ?? "") ?? new UndefinedValue($"'{input.TypeName} object' has no attribute '{call.Text(0, "name")}'"),
        ["abs"] = (_, input, _) => Number(input).AsDouble < 0 ? Operators.ApplySign(isMinus: true, input) : input,
        ["int"] = (_, input, call) =>
            ToInteger(input, (int)(call.Integer(1, "base") ?? 10)) ?? call.Optional(0, "default", new IntegerValue(0)),
        ["float"] = (_, input, call) => ToFloat(input) ?? call.Optional(0, "default", new FloatValue(0)),
        ["round"] = Round,
        ["safe"] = (_, input, _) => input,
    };

    private static Value Default(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var isAbsent = input is UndefinedValue || (call.Flag(1, "boolean", false) && !input.IsTrue);
        return isAbsent ? call.Optional(0, "default_value", TextValue.Empty) : input;
    }

    private static int LengthOf(Value input) => input.Length ?? throw new JinjaException($"object of type '{input.TypeName}' has no len()");

    private static TextValue ToJson(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var indent = call.Integer(1, "indent");
        if (indent is < 0 or > 64) throw new JinjaException($"an indent of {indent} is not supported; allowed is 0 to 64");
        var (betweenItems, afterKey) = call.Find(2, "separators") is ListValue { Items: [TextValue item, TextValue key] }
            ? (item.Text, key.Text)
            : (null, null);
        return new TextValue(new JsonText(
            (int?)indent,
            ensureAscii: call.Flag(0, "ensure_ascii", false),
            sortKeys: call.Flag(3, "sort_keys", false),
            itemSeparator: betweenItems ?? (indent is null ? ", " : ","),
            keySeparator: afterKey ?? ": ").Write(input));
    }

    private static NumberValue Number(Value input) => input switch
    {
        NumberValue number => number,
        UndefinedValue undefined => throw undefined.Error(),
        _ => throw new JinjaException($"a number is expected, not {input.TypeName}"),
    };

    private static IntegerValue? ToInteger(Value input, int numberBase) => input switch
    {
        IntegerValue integer => integer,
        NumberValue number when Math.Abs(number.AsDouble) < long.MaxValue => new IntegerValue((long)number.AsDouble),
        TextValue text => ParseInteger(text.Text.Trim().Replace("_", "", StringComparison.Ordinal), numberBase),
        _ => null,
    };

    private static IntegerValue? ParseInteger(string text, int numberBase)
    {
        if (numberBase == 10 && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
            return new IntegerValue(integer);
        if (numberBase == 10 && double.TryParse(text, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < long.MaxValue)
            return new IntegerValue((long)number);
        if (numberBase == 16 && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) text = text[2..];
        return numberBase == 16 && long.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hexadecimal)
            ? new IntegerValue(hexadecimal)
            : null;
    }

    private static FloatValue? ToFloat(Value input) => input switch
    {
        NumberValue number => new FloatValue(number.AsDouble),
        TextValue text when double.TryParse(text.Text, CultureInfo.InvariantCulture, out var parsed) => new FloatValue(parsed),
        _ => null,
    };

    private static NumberValue Round(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var number = Number(input);
        var precision = (int)(call.Integer(0, "precision") ?? 0);
        if (precision is < 0 or > 15) throw new JinjaException($"a precision of {precision} is not supported; allowed is 0 to 15");
        var scale = Math.Pow(10, precision);
        return (call.Text(1, "method") ?? "common") switch
        {
            "common" => number is FloatValue ? new FloatValue(Math.Round(number.AsDouble, precision, MidpointRounding.ToEven)) : number,
            "ceil" => new FloatValue(Math.Ceiling(number.AsDouble * scale) / scale),
            "floor" => new FloatValue(Math.Floor(number.AsDouble * scale) / scale),
            _ => throw new JinjaException("method must be common, ceil or floor"),
        };
    }
}
