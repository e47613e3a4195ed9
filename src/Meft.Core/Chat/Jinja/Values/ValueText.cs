using System.Globalization;
using System.Text;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>Values as Python prints them.</summary>
internal static class ValueText
{
    /// <summary>As <c>str()</c> gives it: a text as it is, anything inside of a container quoted.</summary>
    public static string Plain(Value value) => value switch
    {
        TextValue text => text.Text,
        UndefinedValue => "",
        _ => Quoted(value),
    };

    /// <summary>As <c>repr()</c> gives it.</summary>
    public static string Quoted(Value value)
    {
        var output = new BoundedText();
        Write(value, output);
        return output.ToString();
    }

    /// <summary>A float with the fewest digits that read back; with an exponent below 1e-4 and from 1e16 on.</summary>
    public static string OfFloat(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        // .NET gives the shortest digits but switches to exponents elsewhere than Python: take digits and place of the point apart.
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E');
        var exponent = mark < 0 ? 0 : int.Parse(text[(mark + 1)..], CultureInfo.InvariantCulture);
        var mantissa = mark < 0 ? text : text[..mark];
        var point = mantissa.Contains('.') ? mantissa.IndexOf('.') : mantissa.Length;
        var allDigits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var digits = allDigits.TrimStart('0');
        var magnitude = point + exponent - (allDigits.Length - digits.Length) - 1;
        var sign = double.IsNegative(value) ? "-" : "";
        if (digits.Length == 0) return sign + "0.0";
        digits = digits.TrimEnd('0');
        if (magnitude is < -4 or >= 16)
            return $"{sign}{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(magnitude < 0 ? '-' : '+')}{Math.Abs(magnitude):00}";
        if (magnitude < 0) return $"{sign}0.{new string('0', -magnitude - 1)}{digits}";
        digits = digits.PadRight(magnitude + 1, '0');
        return $"{sign}{digits[..(magnitude + 1)]}.{(digits.Length > magnitude + 1 ? digits[(magnitude + 1)..] : "0")}";
    }

    private static void Write(Value value, BoundedText output)
    {
        TemplateLimitException.ThrowIfTooDeep();
        switch (value)
        {
            case TextValue text: WriteQuoted(text.Text, output); break;
            case NoneValue: output.Append("None"); break;
            case BooleanValue boolean: output.Append(boolean.IsTrue ? "True" : "False"); break;
            case IntegerValue integer: output.Append(integer.Value.ToString(CultureInfo.InvariantCulture)); break;
            case FloatValue number: output.Append(OfFloat(number.AsDouble)); break;
            case ListValue list: WriteList(list, output); break;
            case MapValue map: WriteMap(map, output); break;
            default: output.Append($"<{value.TypeName}>"); break;
        }
    }

    private static void WriteList(ListValue list, BoundedText output)
    {
        output.Append(list.IsTuple ? "(" : "[");
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (i > 0) output.Append(", ");
            Write(list.Items[i], output);
        }
        if (list.IsTuple) output.Append(list.Items.Count == 1 ? ",)" : ")");
        else output.Append("]");
    }

    private static void WriteMap(MapValue map, BoundedText output)
    {
        output.Append("{");
        var isFirst = true;
        foreach (var (key, member) in map.Members)
        {
            if (!isFirst) output.Append(", ");
            isFirst = false;
            Write(key, output);
            output.Append(": ");
            Write(member, output);
        }
        output.Append("}");
    }

    private static void WriteQuoted(string text, BoundedText output)
    {
        var quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        var quoted = new StringBuilder().Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == quote || rune.Value == '\\') quoted.Append('\\').Append(rune);
            else quoted.Append(rune.Value switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", _ => Printable(rune) });
        }
        output.Append(quoted.Append(quote).ToString());
    }

    private static string Printable(Rune rune)
    {
        var isPrintable = rune.Value == ' ' || Rune.GetUnicodeCategory(rune) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator);
        if (isPrintable) return rune.ToString();
        return rune.Value switch
        {
            < 0x100 => $"\\x{rune.Value:x2}",
            < 0x10000 => $"\\u{rune.Value:x4}",
            _ => $"\\U{rune.Value:x8}",
        };
    }
}
