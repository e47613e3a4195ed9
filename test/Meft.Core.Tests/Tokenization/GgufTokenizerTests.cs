using Meft.Core.Formats.Gguf;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

public sealed class GgufTokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Types_of_tokens_say_which_are_special_and_which_are_nothing()
    {
        var tokenizer = Load(GgufTokenizers.SmallByteLevel());
        tokenizer.Encode("hello<|end|><tool>", addSpecialTokens: true).ShouldBe([259, 260, 261]);
        (tokenizer.IsSpecial(260), tokenizer.IsSpecial(261)).ShouldBe((true, false));
        tokenizer.Decode([259, 262], skipSpecialTokens: false).ShouldBe("hello");
        tokenizer.VocabularySize.ShouldBe(262);
    }

    [Fact]
    public void What_is_put_around_a_text_is_the_files_or_the_kinds()
    {
        Load(GgufTokenizers.SmallSentencePiece()).BeginTokens.ShouldBe([1]);
        Load(GgufTokenizers.SmallSentencePiece().Set("tokenizer.ggml.add_bos_token", false)).BeginTokens.ShouldBeEmpty();
        Load(GgufTokenizers.SmallSentencePiece().Set("tokenizer.ggml.add_eos_token", true)).EndTokens.ShouldBe([2]);
        Load(GgufTokenizers.SmallByteLevel()).BeginTokens.ShouldBeEmpty();
        Load(GgufTokenizers.SmallByteLevel().Set("tokenizer.ggml.bos_token_id", 260u).Remove("tokenizer.ggml.add_bos_token").Remove("tokenizer.ggml.pre")
            .Set("tokenizer.ggml.pre", "llama-bpe")).BeginTokens.ShouldBe([260]);
    }

    [Theory]
    [InlineData("dbrx", "A|Ġ|1|2|3|B")]
    [InlineData("gpt-4o", "A|Ġ|1|2|3|B")]
    [InlineData("gpt-2", "A|Ġ1|2|3|B")]
    public void Texts_are_split_as_the_file_names_it(string split, string expected)
    {
        // What a merge could join, and a split between words keeps apart.
        var bytes = GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.pre").Set("tokenizer.ggml.pre", split);
        List<string> tokens = [.. ByteAlphabet.Characters.ToArray().Select(c => c.ToString()), "Ġ1"];
        var tokenizer = Load(bytes.Remove("tokenizer.ggml.tokens").Set("tokenizer.ggml.tokens", tokens).Remove("tokenizer.ggml.token_type")
            .Remove("tokenizer.ggml.merges").Set("tokenizer.ggml.merges", ["Ġ 1"]).Remove("tokenizer.ggml.eos_token_id").Set("tokenizer.ggml.eos_token_id", 0u));
        tokenizer.Encode("A 123B", addSpecialTokens: false).Select(id => tokens[id]).ShouldBe(expected.Split('|'));
    }

    [Fact]
    public void A_space_goes_before_a_text_unless_the_file_says_otherwise()
    {
        Load(GgufTokenizers.SmallSentencePiece()).Encode("ab", addSpecialTokens: false).ShouldBe([3]);
        Load(GgufTokenizers.SmallSentencePiece().Set("tokenizer.ggml.add_space_prefix", false)).Encode("ab", addSpecialTokens: false).ShouldBe([4]);
    }

    [Theory]
    [InlineData(0)] // llama.cpp's "undefined": of byte-level tokenizers an ordinary token
    [InlineData(1)]
    public void A_token_of_which_nothing_is_said_is_an_ordinary_one(int type)
    {
        var types = Enumerable.Range(0, 263).Select(id => id < 260 ? type : id - 257).ToArray();
        var tokenizer = Load(GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.token_type").Set("tokenizer.ggml.token_type", types));
        tokenizer.Encode("hello<|end|>", addSpecialTokens: false).ShouldBe([259, 260]);
    }

    public static TheoryData<GgufBytes, string> Refused => new()
    {
        { new GgufBytes(), "the file holds no tokenizer" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.model").Set("tokenizer.ggml.model", "rwkv"), "the tokenizer is of the kind 'rwkv'. Allowed: gpt2, llama" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.pre"), "the file does not say how a text is split" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.pre").Set("tokenizer.ggml.pre", "chameleon"), "texts are split as 'chameleon'" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.merges"), "the metadata lack 'tokenizer.ggml.merges'" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.merges").Set("tokenizer.ggml.merges", ["h"]), "merge 0 should be two tokens" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.merges").Set("tokenizer.ggml.merges", ["h x"]), "merge 0 uses 'hx'" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.token_type").Set("tokenizer.ggml.token_type", [1]), "not one a token" },
        { GgufTokenizers.SmallByteLevel().Remove("tokenizer.ggml.eos_token_id").Set("tokenizer.ggml.eos_token_id", 900u), "the id is 900. Allowed: 0 to 262" },
        { GgufTokenizers.SmallSentencePiece().Remove("tokenizer.ggml.token_type"), "the tokens have no types" },
        { GgufTokenizers.SmallSentencePiece().Remove("tokenizer.ggml.scores"), "the tokens have no scores" },
        { GgufTokenizers.SmallSentencePiece().Remove("tokenizer.ggml.tokens").Set("tokenizer.ggml.tokens", ["a", "a", "b", "c", "d", "e", "f", "g", "h"]), "token 1 is 'a', as token 0 is" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void What_is_not_known_is_refused_with_the_file_and_the_key(GgufBytes bytes, string expected)
    {
        var error = Should.Throw<GgufException>(() => Load(bytes));
        error.Message.ShouldStartWith(_folder.File("model.gguf"));
        error.Message.ShouldContain(expected);
        error.ExitCode.ShouldBe(2);
    }

    private HuggingFaceTokenizer Load(GgufBytes bytes)
    {
        File.WriteAllBytes(_folder.File("model.gguf"), bytes.Compose());
        return HuggingFaceTokenizer.Load(_folder.File("model.gguf"));
    }
}
