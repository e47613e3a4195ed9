using System.Text;

namespace Meft.Core.Chat.Jinja.Values;

/// <summary>The methods of a text that templates call, with Python's behaviour.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, Func<string, CallArguments, Value>> Known = new()
    {
        ["strip"] = (text, call) => new TextValue(Strip(text, call.Text(0, "chars"), left: true, right: true)),
        ["lstrip"] = (text, call) => new TextValue(Strip(text, call.Text(0, "chars"), left: true, right: false)),
        ["rstrip"] = (text, call) => new TextValue(Strip(text, call.Text(0, "chars"), left: false, right: true)),
        ["upper"] = (text, _) => new TextValue(text.ToUpperInvariant()),
        ["lower"] = (text, _) => new TextValue(text.ToLowerInvariant()),
        ["title"] = (text, _) => new TextValue(Title(text)),
        ["capitalize"] = (text, _) => new TextValue(Capitalize(text)),
        ["startswith"] = (text, call) => Value.Of(Affixes(call, "prefix").Any(prefix => text.StartsWith(prefix, StringComparison.Ordinal))),
        ["endswith"] = (text, call) => Value.Of(Affixes(call, "suffix").Any(suffix => text.EndsWith(suffix, StringComparison.Ordinal))),
        ["removeprefix"] = (text, call) => new TextValue(
            text.StartsWith(RequiredText(call, 0, "prefix"), StringComparison.Ordinal) ? text[RequiredText(call, 0, "prefix").Length..] : text),
        ["removesuffix"] = (text, call) => new TextValue(
            text.EndsWith(RequiredText(call, 0, "suffix"), StringComparison.Ordinal) ? text[..^RequiredText(call, 0, "suffix").Length] : text),
        ["replace"] = (text, call) => new TextValue(
            Replace(text, RequiredText(call, 0, "old"), RequiredText(call, 1, "new"), call.Integer(2, "count") ?? -1)),
        ["split"] = (text, call) => TextList(Split(text, call.Text(0, "sep"), call.Integer(1, "maxsplit") ?? -1)),
        ["rsplit"] = (text, call) => TextList(SplitFromRight(text, call.Text(0, "sep"), call.Integer(1, "maxsplit") ?? -1)),
        ["splitlines"] = (text, _) => TextList(SplitLines(text)),
        ["join"] = (text, call) => new TextValue(Join(text, call.Required(0, "iterable"))),
        ["find"] = (text, call) => CodePointIndex(text, text.IndexOf(RequiredText(call, 0, "sub"), StringComparison.Ordinal)),
        ["rfind"] = (text, call) => CodePointIndex(text, text.LastIndexOf(RequiredText(call, 0, "sub"), StringComparison.Ordinal)),
        ["count"] = (text, call) => new IntegerValue(Count(text, RequiredText(call, 0, "sub"))),
        ["isdigit"] = (text, _) => All(text, Rune.IsDigit),
        ["isnumeric"] = (text, _) => All(text, Rune.IsNumber),
        ["isalpha"] = (text, _) => All(text, Rune.IsLetter),
        ["isalnum"] = (text, _) => All(text, rune => Rune.IsLetter(rune) || Rune.IsNumber(rune)),
        ["isspace"] = (text, _) => All(text, Rune.IsWhiteSpace),
        ["isupper"] = (text, _) => Value.Of(text.EnumerateRunes().Any(Rune.IsUpper) && !text.EnumerateRunes().Any(Rune.IsLower)),
        ["islower"] = (text, _) => Value.Of(text.EnumerateRunes().Any(Rune.IsLower) && !text.EnumerateRunes().Any(Rune.IsUpper)),
    };

    /// <summary>A method bound to a text, or null where there is none of that name.</summary>
    public static FunctionValue? Find(string text, string name) =>
        Known.TryGetValue(name, out var method) ? new FunctionValue(name, call => method(text, call)) : null;

    /// <summary>Removes white space, or the given characters, at the ends.</summary>
    public static string Strip(string text, string? characters, bool left, bool right)
    {
        var (start, end) = (0, text.Length);
        while (left && start < end && Strips(text[start], characters)) start++;
        while (right && end > start && Strips(text[end - 1], characters)) end--;
        return text[start..end];
    }

    /// <summary>The first letter large, all others small.</summary>
    public static string Capitalize(string text) =>
        text.Length == 0 ? text : string.Concat(text[..1].ToUpperInvariant(), text[1..].ToLowerInvariant());

    /// <summary>The first letter of each word large, all others small; a word is a run of letters.</summary>
    public static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var followsLetter = false;
        foreach (var character in text)
        {
            result.Append(followsLetter ? char.ToLowerInvariant(character) : char.ToUpperInvariant(character));
            followsLetter = char.IsLetter(character);
        }
        return result.ToString();
    }

    /// <summary>Replaces a text by another, the first <paramref name="limit"/> times; below zero every time.</summary>
    public static string Replace(string text, string old, string replacement, long limit)
    {
        var result = new BoundedText();
        var done = 0;
        for (var count = 0L; limit < 0 || count < limit; count++)
        {
            // Nothing stands before every character and at the end; the first time before anything was copied.
            var found = old.Length > 0 ? text.IndexOf(old, done, StringComparison.Ordinal) : count == 0 ? 0 : NextPlace(text, done);
            if (found < 0) break;
            result.Append(text[done..found]).Append(replacement);
            done = found + old.Length;
        }
        return result.Append(text[done..]).ToString();
    }

    /// <summary>The items as texts with a separator between them.</summary>
    private static string Join(string separator, Value items)
    {
        var result = new BoundedText();
        var isFirst = true;
        foreach (var item in items.Items ?? throw new JinjaException("can only join an iterable"))
        {
            if (item is not TextValue text) throw new JinjaException($"sequence item: expected str instance, {item.TypeName} found");
            if (!isFirst) result.Append(separator);
            isFirst = false;
            result.Append(text.Text);
        }
        return result.ToString();
    }

    private static int NextPlace(string text, int done) =>
        done >= text.Length ? -1 : done + (char.IsHighSurrogate(text[done]) && done + 1 < text.Length ? 2 : 1);

    private static bool Strips(char character, string? characters) =>
        characters is null ? char.IsWhiteSpace(character) : characters.Contains(character);

    private static IEnumerable<string> Split(string text, string? separator, long limit)
    {
        if (separator is null) return SplitAtWhiteSpace(text, limit);
        if (separator.Length == 0) throw new JinjaException("empty separator");
        return text.Split(separator, limit < 0 ? int.MaxValue : (int)Math.Min(limit + 1, int.MaxValue));
    }

    private static List<string> SplitAtWhiteSpace(string text, long limit)
    {
        var parts = new List<string>();
        var start = SkipWhiteSpace(text, 0);
        while (start < text.Length)
        {
            if (parts.Count == limit) return [.. parts, text[start..].TrimEnd()];
            var end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end])) end++;
            parts.Add(text[start..end]);
            start = SkipWhiteSpace(text, end);
        }
        return parts;
    }

    private static int SkipWhiteSpace(string text, int position)
    {
        while (position < text.Length && char.IsWhiteSpace(text[position])) position++;
        return position;
    }

    private static List<string> SplitFromRight(string text, string? separator, long limit)
    {
        var parts = Split(text, separator, -1).ToList();
        if (limit < 0 || parts.Count <= limit + 1) return parts;
        if (separator is null) throw new JinjaException("rsplit at white space with a limit is not supported");
        var kept = parts.Count - (int)limit;
        return [string.Join(separator, parts.Take(kept)), .. parts.Skip(kept)];
    }

    private static string[] SplitLines(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    private static int Count(string text, string part)
    {
        if (part.Length == 0) return text.EnumerateRunes().Count() + 1;
        return text.AsSpan().Count(part);
    }

    private static IntegerValue CodePointIndex(string text, int index) => new(index < 0 ? -1 : text[..index].EnumerateRunes().Count());

    private static Value All(string text, Func<Rune, bool> holds) => Value.Of(text.Length > 0 && text.EnumerateRunes().All(holds));

    private static ListValue TextList(IEnumerable<string> texts) => new([.. texts.Select(text => new TextValue(text))]);

    private static string RequiredText(CallArguments call, int position, string name) =>
        call.Text(position, name) ?? throw new JinjaException($"missing argument '{name}'");

    private static IEnumerable<string> Affixes(CallArguments call, string name) => call.Required(0, name) switch
    {
        ListValue { IsTuple: true } tuple => tuple.Items.OfType<TextValue>().Select(text => text.Text),
        _ => [RequiredText(call, 0, name)],
    };
}
