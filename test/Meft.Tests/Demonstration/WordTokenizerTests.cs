using System.Text;
using CsCheck;
using Meft.Demonstration;
using Shouldly;

namespace Meft.Tests.Demonstration;

public class WordTokenizerTests
{
    private static readonly SyntheticWorld World = SyntheticWorld.Create(3, 20, 20);
    private static readonly WordTokenizer Tokenizer = WordTokenizer.Of(Enumerable.Range(0, 400).Select(World.Story));

    [Fact]
    public void Stories_come_back_and_need_no_bytes() => Gen.Int[0, 399].Select(World.Story).Sample(story =>
    {
        var ids = Tokenizer.Encode(story, addSpecialTokens: false);
        Tokenizer.Decode(ids, skipSpecialTokens: true).ShouldBe(story);
        ids.ShouldAllBe(id => id > 256);
    });

    [Fact]
    public void Any_text_comes_back() => Gen.String.Sample(text =>
    {
        // A lone surrogate is no character: it counts as U+FFFD.
        var wellFormed = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        var ids = Tokenizer.Encode(text, addSpecialTokens: false);
        ids.ShouldAllBe(id => id >= 0 && id < Tokenizer.VocabularySize);
        Tokenizer.Decode(ids, skipSpecialTokens: false).ShouldBe(wellFormed);
    });

    [Fact]
    public void Any_ids_decode_alike_at_once_and_one_by_one() =>
        Gen.Int[-1, Tokenizer.VocabularySize].Array.Select(Gen.Bool).Sample((ids, skip) =>
        {
            var stream = Tokenizer.CreateStreamingDecoder(skip);
            var text = string.Concat(ids.Select(stream.Append)) + stream.Complete();
            text.ShouldBe(Tokenizer.Decode(ids, skip));
        });

    [Fact]
    public void Every_id_has_a_piece_that_leads_back_to_it()
    {
        for (var id = 0; id < Tokenizer.VocabularySize; id++) Tokenizer.IdOf(Tokenizer.Piece(id)).ShouldBe(id);
        Tokenizer.IdOf("no such piece").ShouldBeNull();
        Should.Throw<ArgumentOutOfRangeException>(() => Tokenizer.Piece(Tokenizer.VocabularySize));
    }

    [Fact]
    public void Special_tokens_are_recognised_added_and_skipped()
    {
        const string text = "Mira<|endoftext|> sings";
        var ids = Tokenizer.Encode(text, addSpecialTokens: true);
        ids.Count(Tokenizer.IsSpecial).ShouldBe(2);
        ids[0].ShouldBe(WordTokenizer.EndOfTextId);
        Tokenizer.Decode(ids, skipSpecialTokens: true).ShouldBe("Mira sings");
        Tokenizer.Decode(ids, skipSpecialTokens: false).ShouldBe("<|endoftext|>" + text);
    }

    [Fact]
    public void A_prompt_and_its_answer_are_encoded_as_one_sentence()
    {
        foreach (var fact in World.FactsOf(World.People))
        {
            int[] parts = [.. Tokenizer.Encode(fact.Prompt, addSpecialTokens: true), .. Tokenizer.Encode(fact.Answer, addSpecialTokens: false)];
            parts.ShouldBe(Tokenizer.Encode(fact.Prompt + fact.Answer, addSpecialTokens: true));
        }
    }
}
