using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>Operators on values, with Python's rules.</summary>
internal static class Operators
{
    public static Value Apply(string symbol, Value left, Value right)
    {
        if (left is UndefinedValue undefinedLeft) throw undefinedLeft.Error();
        if (right is UndefinedValue undefinedRight) throw undefinedRight.Error();
        return (symbol, left, right) switch
        {
            ("+", TextValue a, TextValue b) => Concatenate(a.Text, b.Text),
            ("+", TextValue, _) => throw new JinjaException($"can only concatenate str (not \"{right.TypeName}\") to str"),
            ("+", ListValue a, ListValue b) when a.IsTuple == b.IsTuple => new ListValue([.. a.Items, .. b.Items], a.IsTuple),
            ("*", TextValue text, IntegerValue times) => Repeat(text.Text, times.Value),
            ("*", IntegerValue times, TextValue text) => Repeat(text.Text, times.Value),
            ("*", ListValue list, IntegerValue times) => Repeat(list, times.Value),
            ("*", IntegerValue times, ListValue list) => Repeat(list, times.Value),
            (_, NumberValue a, NumberValue b) => ApplyToNumbers(symbol, a, b),
            _ => throw new JinjaException($"unsupported operand type(s) for {symbol}: '{left.TypeName}' and '{right.TypeName}'"),
        };
    }

    public static Value ApplySign(bool isMinus, Value operand) => operand switch
    {
        UndefinedValue undefined => throw undefined.Error(),
        NumberValue number when !isMinus => ApplyToNumbers("+", new IntegerValue(0), number),
        FloatValue number => new FloatValue(-number.AsDouble),
        NumberValue number => ApplyToNumbers("-", new IntegerValue(0), number),
        _ => throw new JinjaException($"bad operand type for unary {(isMinus ? '-' : '+')}: '{operand.TypeName}'"),
    };

    public static bool Compare(string symbol, Value left, Value right) => symbol switch
    {
        "==" => ValueComparer.AreEqual(left, right),
        "!=" => !ValueComparer.AreEqual(left, right),
        "<" => ValueComparer.Compare(left, right, symbol) < 0,
        "<=" => ValueComparer.Compare(left, right, symbol) <= 0,
        ">" => ValueComparer.Compare(left, right, symbol) > 0,
        ">=" => ValueComparer.Compare(left, right, symbol) >= 0,
        "in" => Contains(right, left),
        "not in" => !Contains(right, left),
        _ => throw new JinjaException($"unknown operator '{symbol}'"),
    };

    public static bool Contains(Value container, Value item) => (container, item) switch
    {
        (TextValue text, TextValue part) => text.Text.Contains(part.Text, StringComparison.Ordinal),
        (TextValue, _) => throw new JinjaException($"'in <string>' requires string as left operand, not {item.TypeName}"),
        (MapValue map, _) => map.Item(item) is not null,
        _ => (container.Items ?? throw new JinjaException($"argument of type '{container.TypeName}' is not iterable"))
            .Any(candidate => ValueComparer.AreEqual(candidate, item)),
    };

    /// <summary>The items <c>start:stop:step</c> of a list or text; nothing given for an end stands for that end.</summary>
    public static Value Slice(Value target, long? start, long? stop, long? step)
    {
        if (target is not (TextValue or ListValue))
            throw new JinjaException($"'{target.TypeName}' object is not subscriptable with a slice");
        var stride = step ?? 1;
        if (stride == 0) throw new JinjaException("slice step cannot be zero");
        var items = target.Items!;
        var from = Clamp(start, stride > 0 ? 0 : items.Count - 1);
        var to = Clamp(stop, stride > 0 ? items.Count : -1);
        var chosen = new List<Value>();
        for (var i = from; stride > 0 ? i < to : i > to; i += stride) chosen.Add(items[(int)i]);
        return target is ListValue list
            ? new ListValue(chosen, list.IsTuple)
            : new TextValue(string.Concat(chosen.Select(ValueText.Plain)));

        long Clamp(long? place, long byDefault)
        {
            if (place is not { } given) return byDefault;
            if (given < 0) given += items.Count;
            return stride > 0 ? Math.Clamp(given, 0, items.Count) : Math.Clamp(given, -1, items.Count - 1);
        }
    }

    private static TextValue Concatenate(string left, string right)
    {
        BoundedText.Check((long)left.Length + right.Length);
        return new TextValue(left + right);
    }

    private static TextValue Repeat(string text, long times)
    {
        if (times <= 0 || text.Length == 0) return TextValue.Empty;
        BoundedText.Check((long)Math.Min((double)text.Length * times, long.MaxValue / 2));
        return new TextValue(string.Concat(Enumerable.Repeat(text, (int)times)));
    }

    private static ListValue Repeat(ListValue list, long times)
    {
        if (times <= 0 || list.Items.Count == 0) return new ListValue([], list.IsTuple);
        if ((double)list.Weight * times > Value.MaximumWeight)
            throw new TemplateLimitException("the template makes a list that is too large");
        return new ListValue([.. Enumerable.Repeat(list.Items, (int)times).SelectMany(items => items)], list.IsTuple);
    }

    private static NumberValue ApplyToNumbers(string symbol, NumberValue left, NumberValue right)
    {
        if (symbol is "/" or "//" or "%" && right.AsDouble == 0) throw new JinjaException("division by zero");
        if (symbol == "/" || left is FloatValue || right is FloatValue || (symbol == "**" && right.AsDouble < 0))
            return new FloatValue(ApplyToFloats(symbol, left.AsDouble, right.AsDouble));
        try
        {
            return new IntegerValue(ApplyToIntegers(symbol, AsInteger(left), AsInteger(right)));
        }
        catch (OverflowException)
        {
            throw new JinjaException($"the result of {AsInteger(left)} {symbol} {AsInteger(right)} is too large");
        }
    }

    private static long AsInteger(NumberValue number) => number is IntegerValue integer ? integer.Value : (long)number.AsDouble;

    private static double ApplyToFloats(string symbol, double left, double right) => symbol switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "//" => Math.Floor(left / right),
        "%" => left - right * Math.Floor(left / right),
        "**" => Math.Pow(left, right),
        _ => throw new JinjaException($"unknown operator '{symbol}'"),
    };

    private static long ApplyToIntegers(string symbol, long left, long right) => checked(symbol switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "//" => FloorDivide(left, right),
        "%" => left - right * FloorDivide(left, right),
        "**" => Power(left, right),
        _ => throw new JinjaException($"unknown operator '{symbol}'"),
    });

    private static long FloorDivide(long left, long right)
    {
        if (left == long.MinValue && right == -1) throw new OverflowException();
        var quotient = left / right;
        return left % right != 0 && left < 0 != right < 0 ? quotient - 1 : quotient;
    }

    private static long Power(long number, long exponent)
    {
        if (number is 0 or 1 || exponent == 0) return exponent == 0 ? 1 : number;
        if (number == -1) return exponent % 2 == 0 ? 1 : -1;
        var result = 1L;
        for (var i = 0L; i < exponent; i++) result = checked(result * number);
        return result;
    }
}
