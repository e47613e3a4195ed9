using System.Text.Json.Nodes;
using Meft.Core.Tokenization;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

public class AddedTokenTests
{
    [Theory]
    [InlineData("hello<mask>hello", "hello|<mask>|hello")]
    [InlineData("hello <mask> hello", "hello|Ġ|<mask>|Ġ|hello")]
    public void A_plain_one_is_found_anywhere(string text, string expected) =>
        Pieces(text, SampleTokenizers.AddedToken(264, "<mask>")).ShouldBe(expected);

    [Theory]
    [InlineData("hello \t<mask> hello", true, false, "hello|<mask>|Ġ|hello")]
    [InlineData("hello <mask> \n hello", false, true, "hello|Ġ|<mask>|hello")]
    [InlineData("hello <mask> <mask> hello", true, true, "hello|<mask>|<mask>|hello")]
    public void It_swallows_white_space_beside_it(string text, bool lstrip, bool rstrip, string expected) =>
        Pieces(text, SampleTokenizers.AddedToken(264, "<mask>", lstrip: lstrip, rstrip: rstrip)).ShouldBe(expected);

    [Theory]
    [InlineData("he llo", "he|Ġ|llo")]
    [InlineData("hello wo", "hello|Ġwo")]
    public void A_single_word_stands_alone(string text, string expected) =>
        Pieces(text, SampleTokenizers.AddedToken(264, "ello", singleWord: true)).ShouldBe(expected);

    [Fact]
    public void A_single_word_is_found_between_symbols() =>
        Pieces("(ello)", SampleTokenizers.AddedToken(264, "ello", singleWord: true)).ShouldBe("(|ello|)");

    [Fact]
    public void The_longest_of_those_that_begin_first_wins() =>
        Pieces("x<a><ab>", SampleTokenizers.AddedToken(264, "<a"), SampleTokenizers.AddedToken(265, "<ab>"), SampleTokenizers.AddedToken(266, "<a><"))
            .ShouldBe("x|<a><|a|b|>");

    [Fact]
    public void A_normalized_one_is_found_in_the_normalized_text()
    {
        const string decomposed = "cafe\u0301";
        Pieces(decomposed, SampleTokenizers.AddedToken(264, "caf\u00E9", normalized: true)).ShouldBe("caf\u00E9");
        Pieces(decomposed, SampleTokenizers.AddedToken(264, "caf\u00E9", normalized: false)).ShouldBe("c|a|f|Ã|©");
    }

    [Fact]
    public void Only_a_special_one_is_skipped_in_decoding()
    {
        var tokenizer = Load(SampleTokenizers.AddedToken(264, "<think>", special: false));
        var ids = tokenizer.Encode("<think>hello<|end|>", addSpecialTokens: true);
        tokenizer.Decode(ids, skipSpecialTokens: true).ShouldBe("<think>hello");
        tokenizer.Decode(ids, skipSpecialTokens: false).ShouldBe("<|begin|><think>hello<|end|>");
        tokenizer.IsSpecial(264).ShouldBeFalse();
        tokenizer.IsSpecial(262).ShouldBeTrue();
        tokenizer.IsSpecial(9999).ShouldBeFalse();
    }

    [Fact]
    public void The_facts_of_a_tokenizer_are_told()
    {
        var tokenizer = Load();
        tokenizer.VocabularySize.ShouldBe(264);
        tokenizer.BeginTokens.ShouldBe([263]);
        tokenizer.EndTokens.ShouldBeEmpty();
        tokenizer.IdOf("<|end|>").ShouldBe(262);
        tokenizer.IdOf("hello").ShouldBe(259);
        tokenizer.IdOf("nothing").ShouldBeNull();
        tokenizer.Piece(260).ShouldBe("Ġw");
        Should.Throw<ArgumentOutOfRangeException>(() => tokenizer.Piece(264));
        Should.Throw<ArgumentOutOfRangeException>(() => tokenizer.Piece(-100));
    }

    private static string Pieces(string text, params JsonObject[] added)
    {
        var tokenizer = Load(added);
        return string.Join('|', tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.Piece));
    }

    private static HuggingFaceTokenizer Load(params JsonObject[] added)
    {
        var file = SampleTokenizers.ByteLevel();
        foreach (var token in added) file["added_tokens"]!.AsArray().Add(token);
        return SampleTokenizers.Load(file);
    }
}
