using Meft.Core.Errors;
using Meft.Loading;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Loading;

[Trait("Category", "Fixtures")]
public class GgufConfigTests
{
    [Theory]
    [InlineData("\"num_attention_heads\": 9", "\"num_attention_heads\": 3, \"x\": 0", "attention.head_count is 9", "num_attention_heads 3")]
    [InlineData("\"rope_theta\": 100000.0", "\"rope_theta\": 10000.0", "rope.freq_base is 100000", "rope_theta 10000")]
    public void A_config_that_contradicts_the_file_is_refused_with_both_values(string said, string instead, string inFile, string inConfig)
    {
        var model = Assets.Require("models", "smollm2-135m-instruct");
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder.File("model.gguf"), Directory.GetFiles(model, "*.gguf")[0]);
        var config = File.ReadAllText(Path.Combine(model, "config.json"));
        config.ShouldContain(said);
        config = config.Replace(said, instead, StringComparison.Ordinal);
        // With three heads the size of a head and the key heads must change too, so that the shapes fit.
        if (said.Contains("heads", StringComparison.Ordinal))
            config = config.Replace("\"num_key_value_heads\": 3", "\"num_key_value_heads\": 1", StringComparison.Ordinal).Replace("\"head_dim\": 64", "\"head_dim\": 192", StringComparison.Ordinal);
        folder.Write("config.json", config);
        var error = Should.Throw<InvalidInputException>(() => LoadedModel.Load(folder.Path, cancellation: TestContext.Current.CancellationToken));
        error.Message.ShouldContain(inFile);
        error.Message.ShouldContain(inConfig);
    }
}
