using System.Globalization;
using System.Text;
using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>Times by the directives of <c>strftime</c>, with English names.</summary>
internal static class TimeFormat
{
    private static readonly Dictionary<char, string> Directives = new()
    {
        ['Y'] = "yyyy",
        ['y'] = "yy",
        ['m'] = "MM",
        ['d'] = "dd",
        ['B'] = "MMMM",
        ['b'] = "MMM",
        ['h'] = "MMM",
        ['A'] = "dddd",
        ['a'] = "ddd",
        ['H'] = "HH",
        ['I'] = "hh",
        ['M'] = "mm",
        ['S'] = "ss",
        ['f'] = "ffffff",
        ['p'] = "tt",
        ['F'] = "yyyy-MM-dd",
        ['T'] = "HH:mm:ss",
        ['D'] = "MM/dd/yy",
        ['R'] = "HH:mm",
        ['z'] = "zzz",
    };

    /// <exception cref="JinjaException">A directive is not known.</exception>
    public static string Format(DateTimeOffset time, string format)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                text.Append(format[i]);
                continue;
            }
            // %-d: without leading zeros.
            var isTrimmed = ++i < format.Length && format[i] == '-';
            if (isTrimmed) i++;
            if (i >= format.Length) throw new JinjaException($"the time format '{format}' ends in the middle of a directive");
            var part = Directive(time, format[i]);
            text.Append(isTrimmed && part.Length > 1 ? part.TrimStart('0').PadLeft(1, '0') : part);
        }
        BoundedText.Check(text.Length);
        return text.ToString();
    }

    private static string Directive(DateTimeOffset time, char directive) => directive switch
    {
        '%' => "%",
        'n' => "\n",
        't' => "\t",
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        _ => Directives.TryGetValue(directive, out var pattern)
            ? time.ToString(pattern, CultureInfo.InvariantCulture).Replace(directive == 'z' ? ":" : "\0", "", StringComparison.Ordinal)
            : throw new JinjaException($"the time directive %{directive} is not supported"),
    };
}
