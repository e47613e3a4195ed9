using System.Text.RegularExpressions;
using Meft.Core.Tokenization;
using Meft.Core.Tokenization.PreTokenization;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.PreTokenization;

public class PreTokenizerTests
{
    [Theory]
    [InlineData("Removed", "the|final|countdown")]
    [InlineData("Isolated", "the|-|final|-|-|countdown")]
    [InlineData("MergedWithPrevious", "the-|final-|-|countdown")]
    [InlineData("MergedWithNext", "the|-final|-|-countdown")]
    [InlineData("Contiguous", "the|-|final|--|countdown")]
    public void A_split_treats_matches_as_its_behavior_says(string behavior, string expected) =>
        Split(new PatternPreTokenizer(CodePointRegex.Literal("-", ""), Enum.Parse<SplitBehavior>(behavior)), "the-final--countdown")
            .ShouldBe(expected.Split('|'));

    [Fact]
    public void An_inverted_split_keeps_what_matches() =>
        Split(new PatternPreTokenizer(CodePointRegex.Pattern(@"\w+", ""), SplitBehavior.Removed, invert: true), "two words!").ShouldBe(["two", "words"]);

    [Theory]
    [InlineData("Always", "▁Hey|▁friend!|▁|▁How")]
    [InlineData("First", "▁Hey|▁friend!|▁|▁How")]
    [InlineData("Never", "Hey|▁friend!|▁|▁How")]
    public void Metaspace_marks_word_starts(string scheme, string expected) =>
        Split(new MetaspacePreTokenizer('▁', Enum.Parse<PrependScheme>(scheme), split: true), "Hey friend!  How").ShouldBe(expected.Split('|'));

    [Theory]
    [InlineData("Always", "▁word")]
    [InlineData("First", "word")]
    public void Metaspace_of_scheme_first_marks_only_the_start_of_the_text(string scheme, string expected)
    {
        var output = new List<TextPiece>();
        new MetaspacePreTokenizer('▁', Enum.Parse<PrependScheme>(scheme), split: true).Split(new TextPiece("word".AsMemory(), StartsText: false), output);
        output.Single().Text.ToString().ShouldBe(expected);
    }

    [Fact]
    public void Byte_level_spells_bytes_word_by_word() =>
        Split(new ByteLevelPreTokenizer(addPrefixSpace: true, useRegex: true), "I'm né 12\n\n x").ShouldBe(["ĠI", "'m", "ĠnÃ©", "Ġ12", "ĊĊ", "Ġx"]);

    [Fact]
    public void A_letter_outside_the_basic_plane_is_a_letter() =>
        Split(new PatternPreTokenizer(CodePointRegex.Pattern(@"\p{L}+|\p{N}|[^\p{L}\p{N}]+", ""), SplitBehavior.Isolated), "a𐐷𝒳b𝟙𝟚😀!c")
            .ShouldBe(["a𐐷𝒳b", "𝟙", "𝟚", "😀!", "c"]);

    [Fact]
    public void A_pattern_takes_a_character_outside_the_basic_plane_as_one() =>
        Split(new PatternPreTokenizer(CodePointRegex.Pattern(".", ""), SplitBehavior.Isolated), "😀é\U00020000").ShouldBe(["😀", "é", "\U00020000"]);

    [Fact]
    public void Every_category_outside_the_basic_plane_is_seen_as_itself()
    {
        for (var codePoint = 0x10000; codePoint < 0x20000; codePoint += 7)
        {
            var character = char.ConvertFromUtf32(codePoint);
            foreach (var category in (string[])["L", "M", "N", "P", "S", "Lu", "Ll", "Nd", "So", "Mn", "C"])
            {
                var matches = new List<Range>();
                CodePointRegex.BuiltIn(new Regex($@"\p{{{category}}}", RegexOptions.CultureInvariant)).FindMatches(character, matches);
                matches.Count.ShouldBe(CategoryOf(codePoint).StartsWith(category, StringComparison.Ordinal) ? 1 : 0, $"U+{codePoint:X} {category}");
            }
        }
    }

    private static List<string> Split(IPreTokenizer preTokenizer, string text)
    {
        var output = new List<TextPiece>();
        preTokenizer.Split(new TextPiece(text.AsMemory(), StartsText: true), output);
        return [.. output.Select(piece => piece.Text.ToString())];
    }

    /// <summary>The short name of a code point's general category.</summary>
    private static string CategoryOf(int codePoint)
    {
        string[] names =
        [
            "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc",
            "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
        ];
        return names[(int)System.Globalization.CharUnicodeInfo.GetUnicodeCategory(codePoint)];
    }
}
