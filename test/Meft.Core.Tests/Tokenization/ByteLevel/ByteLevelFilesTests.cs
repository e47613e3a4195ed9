using System.Text;
using System.Text.Json.Nodes;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization.ByteLevel;

/// <summary>vocab.json with merges.txt, and tiktoken's form.</summary>
public sealed class ByteLevelFilesTests : IDisposable
{
    private const string Gpt2 = "{\"tokenizer_class\": \"GPT2Tokenizer\"}";
    private const string Merges = "#version: 0.2\nh e\nl l\nll o\nhe llo\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Files_give_the_tokens_and_the_class_the_rest()
    {
        Pieces("hello 12", Gpt2).ShouldBe(["hello", "Ġ", "1", "2"]);
        Pieces("hello", "{\"tokenizer_class\": \"GPT2Tokenizer\", \"add_prefix_space\": true}").ShouldBe(["Ġ", "hello"]);
        // Qwen2 composes characters first.
        Pieces("e\u0301", "{\"tokenizer_class\": \"Qwen2Tokenizer\"}").ShouldBe(["Ã", "©"]);
        Pieces("e\u0301", Gpt2).ShouldBe(["e", "Ì", "ģ"]);
    }

    [Theory]
    [InlineData("phi3", "a|Ġ|1|2")]
    [InlineData("olmo2", "a|Ġ|1|2")]
    [InlineData("gpt2", "a|Ġ1|2")]
    public void Models_that_say_GPT_2s_class_and_cut_words_otherwise_are_known_by_their_type(string type, string expected)
    {
        _folder.Write("config.json", $$"""{"model_type": "{{type}}"}""");
        Pieces("a 12", Gpt2, merges: "#version: 0.2\nĠ 1\n").ShouldBe(expected.Split('|'));
    }

    [Fact]
    public void Added_tokens_and_flags_come_from_the_config()
    {
        Pieces("hello", Gpt2);
        _folder.Write("tokenizer_config.json", """
            {"tokenizer_class": "Qwen2TokenizerFast", "eos_token": "<|im_end|>", "add_eos_token": true,
             "added_tokens_decoder": {"300": {"content": "<|im_end|>", "special": true, "normalized": false}}}
            """);
        var tokenizer = HuggingFaceTokenizer.Load(_folder.Path);
        tokenizer.Encode("he<|im_end|>", addSpecialTokens: true)[1..].ShouldBe([300, 300]);
        (tokenizer.VocabularySize, tokenizer.IsSpecial(300)).ShouldBe((301, true));
    }

    [Theory]
    [InlineData(null, Merges, "tokenizer_class is missing: vocab.json and merges.txt do not say how a text is split into words. Allowed: GPT2Tokenizer, Qwen2Tokenizer")]
    [InlineData("{\"tokenizer_class\": \"PreTrainedTokenizerFast\"}", Merges, "tokenizer_class is 'PreTrainedTokenizerFast'")]
    [InlineData(Gpt2, "h e\nl", "merges.txt, line 2: the merge should be two tokens")]
    [InlineData(Gpt2, "h e\n\nl l o", "merges.txt, line 3: the merge should be two tokens")]
    [InlineData(Gpt2, "h e\nh zz", "merges.txt, line 2: the merge uses a token that is not in the vocabulary: 'zz'")]
    public void What_does_not_say_enough_or_is_damaged_is_refused(string? config, string merges, string expected)
    {
        Write(config, merges);
        Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(_folder.Path)).Message.ShouldContain(expected);
    }

    [Fact]
    public void Merges_that_are_no_text_are_refused_with_the_byte()
    {
        Write(Gpt2, Merges);
        File.WriteAllBytes(_folder.File("merges.txt"), [(byte)'h', (byte)' ', 0xFF]);
        Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(_folder.Path)).Message.ShouldContain("merges.txt, byte 2: the file is not UTF-8");
    }

    [Fact]
    public void Ranks_are_tokens_and_merges_at_once()
    {
        WriteRanks(Ranks(), Llama3(258));
        var tokenizer = HuggingFaceTokenizer.Load(_folder.Path);
        tokenizer.Encode("hell<|begin_of_text|>", addSpecialTokens: true).ShouldBe([258, 256, 257, 258]);
        tokenizer.Decode([256, 257], skipSpecialTokens: false).ShouldBe("hell");
    }

    public static TheoryData<string, Func<List<string>, IEnumerable<string>>, string> Damages => new()
    {
        { "no base64", ranks => ranks.Append("#### 258"), "line 259: the line is not base64" },
        { "no rank", ranks => ranks.Append("aGVs"), "line 259: the line should be base64, a space and a rank, not 'aGVs'" },
        { "a rank that is no number", ranks => ranks.Append("aGVs -1"), "line 259" },
        { "a rank left out", ranks => ranks.Append("aGVs 300"), "line 259: the line has the rank 300; 258 comes next" },
        { "bytes said again", ranks => ranks.Append("aGU= 258"), "line 259: the line says the bytes of rank 256 again" },
        { "a byte without a rank", ranks => ranks.Take(200), "the byte 0x" },
        { "nothing at all", _ => [], "the file is empty" },
    };

    [Theory, MemberData(nameof(Damages))]
    public void Damaged_ranks_are_named_with_their_line(string damage, Func<List<string>, IEnumerable<string>> inflict, string expected)
    {
        WriteRanks(inflict(Ranks()), Llama3(258));
        var error = Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(_folder.Path), damage);
        error.Message.ShouldStartWith(_folder.File("tokenizer.model"));
        error.Message.ShouldContain(expected);
    }

    [Fact]
    public void Ranks_of_no_known_model_are_refused()
    {
        WriteRanks(Ranks(), "{}");
        Should.Throw<TokenizerFileException>(() => HuggingFaceTokenizer.Load(_folder.Path)).Message.ShouldContain("the file holds 258 ranks, and no tokenizer_config.json");
    }

    /// <summary>A vocabulary of 256 bytes, the tokens of <see cref="Merges"/> and a one behind a space.</summary>
    internal static string Vocabulary()
    {
        var vocabulary = new JsonObject();
        foreach (var character in ByteAlphabet.Characters) vocabulary[character.ToString()] = vocabulary.Count;
        foreach (var token in (string[])["he", "ll", "llo", "hello", "Ġ1"]) vocabulary[token] = vocabulary.Count;
        return vocabulary.ToJsonString();
    }

    /// <summary>The 256 bytes, <c>he</c> and <c>ll</c>.</summary>
    internal static List<string> Ranks() =>
        [.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).Append(Encoding.UTF8.GetBytes("he")).Append(Encoding.UTF8.GetBytes("ll"))
            .Select((bytes, rank) => $"{Convert.ToBase64String(bytes)} {rank}")];

    /// <summary>A tokenizer_config.json with Llama 3's beginning.</summary>
    internal static string Llama3(int begin) =>
        "{\"added_tokens_decoder\": {\"" + begin + "\": {\"content\": \"<|begin_of_text|>\", \"special\": true, \"normalized\": false}}}";

    private void WriteRanks(IEnumerable<string> ranks, string config)
    {
        _folder.Write("tokenizer.model", string.Concat(ranks.Select(line => line + "\n")));
        _folder.Write("tokenizer_config.json", config);
    }

    private void Write(string? config, string merges)
    {
        _folder.Write("vocab.json", Vocabulary());
        _folder.Write("merges.txt", merges);
        if (config is not null) _folder.Write("tokenizer_config.json", config);
    }

    private List<string> Pieces(string text, string config, string merges = Merges)
    {
        Write(config, merges);
        var tokenizer = HuggingFaceTokenizer.Load(_folder.Path);
        return [.. tokenizer.Encode(text, addSpecialTokens: false).Select(tokenizer.Piece)];
    }
}
