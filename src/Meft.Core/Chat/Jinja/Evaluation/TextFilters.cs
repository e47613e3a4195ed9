using Meft.Core.Chat.Jinja.Values;

namespace Meft.Core.Chat.Jinja.Evaluation;

/// <summary>Filters for texts. Other values are taken as their text.</summary>
internal static class TextFilters
{
    public static readonly Dictionary<string, FilterFunction> All = new()
    {
        ["trim"] = (_, input, call) => Text(TextMethods.Strip(ValueText.Plain(input), call.Text(0, "chars"), left: true, right: true)),
        ["upper"] = (_, input, _) => Text(ValueText.Plain(input).ToUpperInvariant()),
        ["lower"] = (_, input, _) => Text(ValueText.Plain(input).ToLowerInvariant()),
        ["title"] = (_, input, _) => Text(Title(ValueText.Plain(input))),
        ["capitalize"] = (_, input, _) => Text(TextMethods.Capitalize(ValueText.Plain(input))),
        ["replace"] = (_, input, call) => Text(TextMethods.Replace(
            ValueText.Plain(input),
            ValueText.Plain(call.Required(0, "old")),
            ValueText.Plain(call.Required(1, "new")),
            call.Integer(2, "count") ?? -1)),
        ["indent"] = Indent,
        ["wordcount"] = (_, input, _) => new IntegerValue(
            ValueText.Plain(input).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length),
        ["escape"] = (_, input, _) => Text(Escape(ValueText.Plain(input))),
        ["e"] = (_, input, _) => Text(Escape(ValueText.Plain(input))),
    };

    private static TextValue Text(string text)
    {
        BoundedText.Check(text.Length);
        return new TextValue(text);
    }

    /// <summary>The first letter of each word large, all others small; words end at white space, hyphens and opening brackets.</summary>
    private static string Title(string text)
    {
        var result = new char[text.Length];
        var startsWord = true;
        for (var i = 0; i < text.Length; i++)
        {
            result[i] = startsWord ? char.ToUpperInvariant(text[i]) : char.ToLowerInvariant(text[i]);
            startsWord = char.IsWhiteSpace(text[i]) || text[i] is '-' or '(' or '{' or '[' or '<';
        }
        return new string(result);
    }

    private static TextValue Indent(ExpressionEvaluator evaluator, Value input, CallArguments call)
    {
        var prefix = call.Find(0, "width") is TextValue given ? given.Text : Spaces(call.Integer(0, "width") ?? 4);
        var lines = ValueText.Plain(input).ReplaceLineEndings("\n").Split('\n');
        var result = new BoundedText();
        for (var i = 0; i < lines.Length; i++)
        {
            if (i > 0) result.Append("\n");
            var isIndented = i == 0 ? call.Flag(1, "first", false) : lines[i].Length > 0 || call.Flag(2, "blank", false);
            result.Append(isIndented ? prefix + lines[i] : lines[i]);
        }
        return new TextValue(result.ToString());
    }

    private static string Spaces(long count)
    {
        BoundedText.Check(count);
        return new string(' ', (int)Math.Max(count, 0));
    }

    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);
}
