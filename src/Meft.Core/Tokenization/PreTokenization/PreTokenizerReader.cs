using System.Text.RegularExpressions;
using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.PreTokenization;

/// <summary>Reads the <c>pre_tokenizer</c> of tokenizer.json.</summary>
internal static partial class PreTokenizerReader
{
    private static readonly ComponentTable<IPreTokenizer> Known = new("pre-tokenizer", new()
    {
        ["Sequence"] = field => new SequencePreTokenizer([.. field["pretokenizers"].Items().Select(item => Known!.Read(item))]),
        ["ByteLevel"] = field => new ByteLevelPreTokenizer(field["add_prefix_space"].AsBoolean(true), field["use_regex"].AsBoolean(true)),
        ["Metaspace"] = ReadMetaspace,
        ["Split"] = field => new PatternPreTokenizer(
            TextPattern.Read(field["pattern"]), ReadBehavior(field["behavior"]), field["invert"].AsBoolean(false)),
        ["Digits"] = field => new PatternPreTokenizer(
            CodePointRegex.BuiltIn(Number()),
            field["individual_digits"].AsBoolean(false) ? SplitBehavior.Isolated : SplitBehavior.Contiguous),
        ["Punctuation"] = field => new PatternPreTokenizer(
            CodePointRegex.BuiltIn(PunctuationCharacter()),
            field["behavior"].IsMissing ? SplitBehavior.Isolated : ReadBehavior(field["behavior"])),
        ["Whitespace"] = _ => new PatternPreTokenizer(CodePointRegex.BuiltIn(WordOrSymbols()), SplitBehavior.Removed, invert: true),
        ["WhitespaceSplit"] = _ => new PatternPreTokenizer(CodePointRegex.BuiltIn(WhiteSpaceCharacter()), SplitBehavior.Removed),
    });

    /// <summary>The pre-tokenizer, or null where the file has none.</summary>
    public static IPreTokenizer? Read(JsonField field) => field.IsMissing ? null : Known.Read(field);

    private static MetaspacePreTokenizer ReadMetaspace(JsonField field)
    {
        var replacement = field["replacement"].AsText();
        if (replacement.Length != 1) throw field["replacement"].Error($"should be one character, not '{replacement}'");
        return new MetaspacePreTokenizer(replacement[0], ReadPrependScheme(field), field["split"].AsBoolean(true));
    }

    /// <summary>The scheme that <c>prepend_scheme</c> or, in older files, <c>add_prefix_space</c> names.</summary>
    internal static PrependScheme ReadPrependScheme(JsonField field)
    {
        if (field["prepend_scheme"].IsMissing)
            return field["add_prefix_space"].AsBoolean(true) ? PrependScheme.Always : PrependScheme.Never;
        var name = field["prepend_scheme"].AsText();
        return name switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw field["prepend_scheme"].Error($"is '{name}'", "always, first, never"),
        };
    }

    private static SplitBehavior ReadBehavior(JsonField field)
    {
        var name = field.AsText();
        return Enum.GetValues<SplitBehavior>().Cast<SplitBehavior?>().FirstOrDefault(known => known.ToString() == name)
            ?? throw field.Error($"is '{name}'", string.Join(", ", Enum.GetNames<SplitBehavior>()));
    }

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    [GeneratedRegex(@"[\p{P}$+<=>^`|~]", RegexOptions.CultureInvariant)]
    private static partial Regex PunctuationCharacter();

    [GeneratedRegex(
        @"[\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u200C\u200D]+|[^\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u200C\u200D\s]+",
        RegexOptions.CultureInvariant)]
    private static partial Regex WordOrSymbols();

    [GeneratedRegex(@"\s", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpaceCharacter();
}
