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
        Should.Throw<UnknownModelException>(() => ModelLocation.Find(_folder.Path).ReadConfig()).Message.ShouldContain("A .gguf file of a model of text and pictures holds its text part alone");
        File.WriteAllBytes(_folder.File("model.gguf"), GgufModels.Tiny("gemma3").Without("rope_freqs.weight").Compose());
        foreach (var path in new[] { _folder.Path, _folder.File("model.gguf") })
            ModelLocation.Find(path).ReadConfig().Architecture.ShouldBe("Gemma3ForCausalLM");
    }

    [Fact]
    public void A_folder_of_several_GGUF_files_names_them()
    {
        foreach (var name in new[] { "b.gguf", "a.gguf" }) File.WriteAllBytes(_folder.File(name), GgufModels.Tiny().Compose());
        var location = ModelLocation.Find(_folder.Path);
        Should.Throw<InvalidInputException>(() => location.ReadConfig()).Message.ShouldBe(
            $"{_folder.Path}: the folder holds several GGUF files. Allowed: one. Name one of them: a.gguf, b.gguf.");
        ModelLocation.Find(_folder.File("b.gguf")).ReadConfig().LayerCount.ShouldBe(1);
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
