using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Tests.Formats.Gguf;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats;

public sealed class ModelLocationTests : IDisposable
{
    private const string OfTextAndPictures = """{"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": {"hidden_size": 8}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_config_of_text_and_pictures_gives_way_to_the_metadata_of_the_file_beside_it()
    {
        _folder.Write("config.json", OfTextAndPictures);
        Should.Throw<UnknownModelException>(() => ModelLocation.Find(_folder.Path).ReadConfig()).Message.ShouldContain("Gemma3ForConditionalGeneration");
        File.WriteAllBytes(_folder.File("model.gguf"), GgufModels.Tiny("gemma3").Without("rope_freqs.weight").Compose());
        foreach (var path in new[] { _folder.Path, _folder.File("model.gguf") })
            ModelLocation.Find(path).ReadConfig().Architecture.ShouldBe("Gemma3ForCausalLM");
    }

    [Theory]
    [InlineData("{", "not valid JSON")]
    [InlineData("""{"architectures": ["LlamaForCausalLM"]}""", "'hidden_size' is missing")]
    public void A_config_that_is_wrong_otherwise_does_not(string json, string expected)
    {
        _folder.Write("config.json", json);
        File.WriteAllBytes(_folder.File("model.gguf"), GgufModels.Tiny().Compose());
        Should.Throw<InvalidInputException>(() => ModelLocation.Find(_folder.Path).ReadConfig()).Message.ShouldContain(expected);
    }
}
