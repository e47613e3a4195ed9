using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Tokenization;

public sealed class TokenizerConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_without_the_file_has_an_empty_one()
    {
        var config = TokenizerConfig.Load(_folder.Path);
        config.SpecialTokens.ShouldBeEmpty();
        config.AddsBeginToken.ShouldBeNull();
        config.ChatTemplate.ShouldBeNull();
    }

    [Fact]
    public void Special_tokens_are_texts_or_objects_and_null_means_none()
    {
        Write("""{"bos_token": {"content": "<|begin|>", "lstrip": false}, "eos_token": "<|end|>", "pad_token": null, "unk_token": "he"}""");
        var config = TokenizerConfig.Load(_folder.Path);
        config.SpecialTokens.Count.ShouldBe(3);
        config.Resolve(SampleTokenizers.Load(SampleTokenizers.ByteLevel())).ShouldBe(new SpecialTokenIds(263, 262, null, 256));
    }

    [Fact]
    public void The_older_file_fills_what_the_newer_one_leaves_out()
    {
        _folder.Write("special_tokens_map.json", """{"bos_token": "<|end|>", "pad_token": "<|end|>"}""");
        Write("""{"bos_token": "<|begin|>"}""");
        var config = TokenizerConfig.Load(_folder.Path);
        config.SpecialTokens["bos_token"].ShouldBe("<|begin|>");
        config.SpecialTokens["pad_token"].ShouldBe("<|end|>");
    }

    [Fact]
    public void A_token_that_the_tokenizer_lacks_is_named()
    {
        Write("""{"eos_token": "</s>"}""");
        var tokenizer = SampleTokenizers.Load(SampleTokenizers.ByteLevel());
        Should.Throw<TokenizerFileException>(() => TokenizerConfig.Load(_folder.Path).Resolve(tokenizer))
            .Message.ShouldContain("tokenizer_config.json: eos_token is '</s>', which the tokenizer does not have");
    }

    [Theory]
    [InlineData("""{}""", new[] { 263 }, new int[0])]
    [InlineData("""{"bos_token": "<|begin|>", "add_bos_token": true, "eos_token": "<|end|>", "add_eos_token": true}""", new[] { 263 }, new[] { 262 })]
    [InlineData("""{"bos_token": "<|begin|>", "add_bos_token": false}""", new int[0], new int[0])]
    [InlineData("""{"bos_token": "<|end|>", "add_bos_token": true}""", new[] { 262, 263 }, new int[0])]
    [InlineData("""{"add_bos_token": false}""", new[] { 263 }, new int[0])]
    public void Its_flags_decide_what_is_added_to_a_text(string config, int[] begin, int[] end)
    {
        Write(config);
        _folder.Write(HuggingFaceTokenizer.FileName, SampleTokenizers.ByteLevel().ToJsonString());
        var tokenizer = HuggingFaceTokenizer.Load(_folder.Path);
        tokenizer.BeginTokens.ShouldBe(begin);
        tokenizer.EndTokens.ShouldBe(end);
        tokenizer.Encode("he", addSpecialTokens: true).ShouldBe([.. begin, 256, .. end]);
    }

    [Fact]
    public void Of_several_chat_templates_the_default_one_counts()
    {
        Write("""{"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]}""");
        TokenizerConfig.Load(_folder.Path).ChatTemplate.ShouldBe("D");
        Write("""{"chat_template": [{"name": "tool_use", "template": "T"}]}""");
        Should.Throw<TokenizerFileException>(() => TokenizerConfig.Load(_folder.Path)).Message.ShouldContain("chat_template has no template named default");
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("[]", "should be an object")]
    [InlineData("""{"eos_token": 3}""", "eos_token should be a string, not 3")]
    [InlineData("""{"eos_token": {}}""", "eos_token.content is missing")]
    [InlineData("""{"add_bos_token": "yes"}""", "add_bos_token should be true or false")]
    [InlineData("""{"chat_template": 5}""", "chat_template should be an array")]
    public void Damage_is_named(string text, string expected)
    {
        Write(text);
        Should.Throw<TokenizerFileException>(() => TokenizerConfig.Load(_folder.Path)).Message.ShouldContain(expected);
    }

    private void Write(string text) => _folder.Write(TokenizerConfig.FileName, text);
}
