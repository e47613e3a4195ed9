using CsCheck;
using Meft.Core.Tokenization;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

public class StreamingDecoderTests
{
    private static readonly HuggingFaceTokenizer ByteLevel = SampleTokenizers.Load(SampleTokenizers.ByteLevel());
    private static readonly HuggingFaceTokenizer ByteFallback = SampleTokenizers.Load(SampleTokenizers.ByteFallback());

    [Fact]
    public void A_character_appears_with_its_last_byte()
    {
        var ids = ByteLevel.Encode("😀", addSpecialTokens: false);
        ids.Length.ShouldBe(4);
        Chunks(ByteLevel, ids).ShouldBe(["", "", "", "😀", ""]);
    }

    [Fact]
    public void A_run_of_byte_tokens_appears_when_another_token_ends_it()
    {
        var ids = ByteFallback.Encode("é日", addSpecialTokens: false);
        Chunks(ByteFallback, ids).ShouldBe(["", "", "", "é日", ""]);
    }

    [Fact]
    public void Only_the_first_space_of_a_text_is_dropped()
    {
        var (a, ab) = (ByteFallback.IdOf("▁a")!.Value, ByteFallback.IdOf("▁ab")!.Value);
        Chunks(ByteFallback, [a, ab, a]).ShouldBe(["a", " ab", " a", ""]);
        Chunks(ByteFallback, [1, a, ab], skipSpecialTokens: true).ShouldBe(["", "a", " ab", ""]);
    }

    [Fact]
    public void Half_a_character_at_the_end_becomes_a_replacement_character()
    {
        Chunks(ByteLevel, ByteLevel.Encode("é", addSpecialTokens: false)[..1]).ShouldBe(["", "\uFFFD"]);
        Chunks(ByteFallback, [3 + 0xE6, 3 + 0x97]).ShouldBe(["", "", "\uFFFD\uFFFD"]);
    }

    [Fact]
    public void The_chunks_add_up_to_the_whole_decoding()
    {
        foreach (var tokenizer in new[] { ByteLevel, ByteFallback })
        {
            Gen.Int[0, tokenizer.VocabularySize + 2].Array[0, 40].Select(Gen.Bool).Sample((ids, skip) =>
            {
                var chunks = Chunks(tokenizer, ids, skip);
                string.Concat(chunks).ShouldBe(tokenizer.Decode(ids, skip));
                chunks.ShouldAllBe(chunk => HoldsWholeCharacters(chunk));
            });
        }
    }

    [Fact]
    public void Decoding_undoes_encoding()
    {
        // A special token in the text is one, and is decoded with a space of its own.
        Gen.String.Where(text => !text.Any(char.IsSurrogate) && !text.Contains("s>", StringComparison.Ordinal) && !text.Contains("<unk>", StringComparison.Ordinal)).Sample(text =>
            ByteFallback.Decode(ByteFallback.Encode(text, addSpecialTokens: false), skipSpecialTokens: false)
                .ShouldBe(text.Replace('▁', ' ')));
    }

    private static bool HoldsWholeCharacters(string chunk) => string.Concat(chunk.EnumerateRunes()) == chunk;

    private static List<string> Chunks(HuggingFaceTokenizer tokenizer, int[] ids, bool skipSpecialTokens = false)
    {
        var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens);
        return [.. ids.Select(decoder.Append), decoder.Complete()];
    }
}
