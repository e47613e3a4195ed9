using System.Text.Json.Nodes;
using CsCheck;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

/// <summary>A file that cannot be used is an error that names it and the place, never anything else.</summary>
public class BrokenTokenizerFileTests
{
    public static TheoryData<string, Action<JsonObject>, string> Damages => new()
    {
        { "a number where text belongs", file => file["normalizer"]!["type"] = 3, "normalizer.type should be a string, not 3" },
        { "an unknown normalizer", file => file["normalizer"]!["type"] = "Nmt", "'Nmt', which is not supported. Allowed: ByteLevel, Lowercase, NFC" },
        { "an unknown pre-tokenizer", file => file["pre_tokenizer"] = new JsonObject { ["type"] = "Jieba" }, "the pre-tokenizer 'Jieba'" },
        { "an unknown model", file => file["model"]!["type"] = "Unigram", "the model 'Unigram', which is not supported. Allowed: BPE" },
        { "an unknown post-processor", file => file["post_processor"]!["type"] = "X", "the post-processor 'X'" },
        { "an unknown decoder", file => file["decoder"]!["type"] = "CTC", "the decoder 'CTC'" },
        { "no model", file => file.Remove("model"), "model is missing" },
        { "no vocabulary", file => file["model"]!.AsObject().Remove("vocab"), "model.vocab is missing" },
        { "no merges", file => file["model"]!.AsObject().Remove("merges"), "model.merges is missing" },
        { "a merge of unknown tokens", file => file["model"]!["merges"]![2] = "ll zz", "model.merges[2] uses the token 'zz'" },
        { "a merge into an unknown token", file => file["model"]!["merges"]![0] = "h l", "uses the token 'hl'" },
        { "a merge of three", file => file["model"]!["merges"]![0] = "h e l", "model.merges[0] should be two tokens, not 3" },
        { "an id that is text", file => file["model"]!["vocab"]!["he"] = "7", "model.vocab.he should be a whole number, not \"7\"" },
        { "an id below zero", file => file["model"]!["vocab"]!["he"] = -1, "model.vocab.he is -1" },
        { "an id beyond all measure", file => file["model"]!["vocab"]!["he"] = int.MaxValue, "model.vocab.he is 2147483647" },
        { "an id given twice", file => file["model"]!["vocab"]!["he"] = 0, "model.vocab.he is 0, which is the id of" },
        { "an unknown token that is unknown", file => file["model"]!["unk_token"] = "<unk>", "model.unk_token is '<unk>'" },
        { "dropout", file => file["model"]!["dropout"] = 0.1, "model.dropout is set" },
        { "word suffixes", file => file["model"]!["end_of_word_suffix"] = "</w>", "model.end_of_word_suffix is '</w>'" },
        { "an added token in conflict", file => file["added_tokens"]![0]!["content"] = "he", "added_tokens[0].id is 262" },
        { "an added token on a taken id", file => file["added_tokens"]![0]!["id"] = 5, "added_tokens[0].id is 5, which is the id of" },
        { "two added tokens of one id", file => file["added_tokens"]![1]!["id"] = 262, "added_tokens[1].id is 262, the id of another" },
        { "a template of an unlisted token", file => file["post_processor"]!["special_tokens"] = new JsonObject(), "'<|begin|>', which special_tokens does not list" },
        { "a template of an id that is no token", file => file["post_processor"]!["special_tokens"]!["<|begin|>"]!["ids"]![0] = 4000, "the id 4000" },
        { "a regular expression that is none", file => Split(file)["pattern"] = new JsonObject { ["Regex"] = "(" }, "regular expression that is not supported" },
        { "no pattern", file => Split(file)["pattern"] = new JsonObject(), "should hold a pattern" },
        { "an unknown split behavior", file => Split(file)["behavior"] = "Torn", "is 'Torn'. Allowed: Removed, Isolated" },
    };

    [Theory, MemberData(nameof(Damages))]
    public void Damage_is_named(string damage, Action<JsonObject> inflict, string expected)
    {
        var file = SampleTokenizers.ByteLevel();
        inflict(file);
        using var folder = new TemporaryFolder();
        var path = folder.Write("tokenizer.json", file.ToJsonString());
        var error = Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(folder.Path), damage);
        error.Message.ShouldStartWith(path);
        error.Message.ShouldContain(expected);
        error.File.ShouldBe(path);
        error.ExitCode.ShouldBe(2);
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "the whole file should be an object")]
    [InlineData("{\"\\ud800 and more than that\": 1}", "the whole file has a key that is not valid Unicode text")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": ", "not valid JSON")]
    [InlineData("{\"model\": {\"type\": \"\\ud800\"}}", "not valid Unicode")]
    [InlineData("{\"model\": {\"type\": \"BPE\", \"vocab\": {\"\\ud800\": 1}}}", "not valid Unicode")]
    public void Text_that_is_no_tokenizer_is_named(string text, string expected) =>
        Should.Throw<TokenizerFileException>(() => SampleTokenizers.Load(text)).Message.ShouldContain(expected);

    [Fact]
    public void An_absent_file_is_named()
    {
        using var folder = new TemporaryFolder();
        Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(folder.Path)).Message.ShouldContain("tokenizer.json: there is no such file");
    }

    [Fact]
    public void A_pattern_that_takes_long_to_build_is_refused() =>
        Should.Throw<ArgumentException>(() => CodePointRegex.Pattern(string.Concat(Enumerable.Repeat("(?=a)", 50_000)), "tokenizer.json"))
            .Message.ShouldBe("it has 250,000 characters; at most 8,192 are read");

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_stopped()
    {
        var pattern = CodePointRegex.Pattern(@"(\w|\w\w)+!", "tokenizer.json", TimeSpan.FromMilliseconds(50));
        Should.Throw<TokenizerFileException>(() => pattern.FindMatches(new string('a', 100), []))
            .Message.ShouldStartWith(@"tokenizer.json: the pattern '(\w|\w\w)+!' takes too long");
    }

    [Fact]
    public void Any_change_to_a_file_leaves_it_usable_or_gives_the_typed_error()
    {
        var samples = new[] { SampleTokenizers.ByteLevel().ToJsonString(), SampleTokenizers.ByteFallback().ToJsonString() };
        var outcomes = new int[2];
        Gen.Int[0, int.MaxValue].Sample(
            seed =>
            {
                var random = new Random(seed);
                var text = JsonMutation.Mutate(samples[random.Next(samples.Length)], random);
                try
                {
                    var tokenizer = SampleTokenizers.Load(text);
                    var ids = tokenizer.Encode("hello  wörld<|end|> ab日\U0001F600 </s>a", addSpecialTokens: true);
                    tokenizer.Decode(ids, skipSpecialTokens: false);
                    foreach (var id in ids) tokenizer.Piece(id);
                    Interlocked.Increment(ref outcomes[0]);
                }
                catch (TokenizerFileException)
                {
                    Interlocked.Increment(ref outcomes[1]);
                }
            },
            iter: 1_000);
        outcomes.ShouldAllBe(count => count > 0);
    }

    private static JsonNode Split(JsonObject file) => file["pre_tokenizer"]!["pretokenizers"]![0]!;
}
