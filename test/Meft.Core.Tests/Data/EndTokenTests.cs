using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data;

public sealed class EndTokenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("""{"eos_token": "</s>"}""")]
    [InlineData("""{"eos_token": {"content": "</s>", "lstrip": false}}""")]
    public void A_tokenizer_alone_names_its_end_token(string json)
    {
        _folder.Write("tokenizer_config.json", json);
        EndToken.Find(ModelLocation.Find(_folder.Path), new LetterTokenizer()).ShouldBe(LetterTokenizer.End);
    }

    [Fact]
    public void A_models_own_config_comes_first()
    {
        _folder.Write("tokenizer_config.json", """{"eos_token": "</s>"}""");
        _folder.Write("config.json", """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
             "num_attention_heads": 1, "vocab_size": 10, "eos_token_id": [7, 8]}
            """);
        EndToken.Find(ModelLocation.Find(_folder.Path), new LetterTokenizer()).ShouldBe(7);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"eos_token": null}""")]
    public void There_may_be_none(string json)
    {
        EndToken.Find(ModelLocation.Find(_folder.Path), new LetterTokenizer()).ShouldBeNull();
        _folder.Write("tokenizer_config.json", json);
        EndToken.Find(ModelLocation.Find(_folder.Path), new LetterTokenizer()).ShouldBeNull();
    }

    [Theory]
    [InlineData("{", "cannot be read")]
    [InlineData("""{"eos_token": "<nothing>"}""", "<nothing>")]
    public void A_broken_file_is_named(string json, string reason)
    {
        var path = _folder.Write("tokenizer_config.json", json);
        var e = Should.Throw<InvalidInputException>(() => EndToken.Find(ModelLocation.Find(_folder.Path), new LetterTokenizer()));
        e.Location.ShouldBe(path);
        e.Problem.ShouldContain(reason);
    }

    public void Dispose() => _folder.Dispose();
}
