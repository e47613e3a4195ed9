using Meft.Core.Formats.HuggingFace;
using Meft.Loading;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Loading;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>
/// The first Gemma, which no golden shows: its definition is Llama's with norms of 1 + w, embeddings times √D before the first layer, and gelu's tanh form, so
/// that a Llama of changed weights computes the same.
/// </summary>
public sealed class GemmaTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void It_computes_what_a_llama_of_changed_weights_computes()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var config = RandomFamilies.Create("gemma", seed);
            using var gemma = RandomFamilies.Build(config, float64);
            using var llama = Decoder.Initialize(
                config with { Architecture = "LlamaForCausalLM", NormScaling = NormScaling.AfterRounding, Multipliers = new Multipliers(), TiedEmbeddings = false },
                1, CPU, float64);
            foreach (var (name, weight) in llama.Parameters)
            {
                var given = name == "lm_head.weight" && config.TiedEmbeddings ? "model.embed_tokens.weight" : name;
                var value = gemma.Parameters[given];
                if (name.EndsWith("norm.weight", StringComparison.Ordinal)) value = value.Plus(1.0);
                if (name == "model.embed_tokens.weight") value = value.Times(Math.Sqrt(config.HiddenSize));
                weight.copy_(value);
            }
            using var layout = TokenLayout.FromLengths([9, 1, 4], CPU);
            var ids = randint(0, config.VocabularySize, 14, int64, CPU, generator: new Generator((ulong)seed, CPU));
            TinyModel.Difference(gemma.Forward(ids, layout), llama.Forward(ids, layout)).ShouldBeLessThan(1e-10, $"seed {seed}");
        }
    }

    [Fact]
    public void A_GGUF_file_of_it_is_the_folder()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var decoder = RandomFamilies.Build(RandomFamilies.Create("gemma", 3) with { TiedEmbeddings = true }, float32);
        decoder.Save(_folder.File("model"));
        File.WriteAllBytes(_folder.File("model.gguf"), GgufWriter.Of(_folder.File("model")).Compose());
        using var model = LoadedModel.Load(_folder.File("model.gguf"), new ModelLoadOptions { Device = "cpu" }, TestContext.Current.CancellationToken);
        ModelConfigWriter.ToJson(model.Config).ShouldBe(ModelConfigWriter.ToJson(decoder.Config with { InitializerRange = model.Config.InitializerRange, StoredType = StoredType.Float32 }));

        using var layout = TokenLayout.FromLengths([6, 3], CPU);
        var ids = randint(0, decoder.Config.VocabularySize, 9, int64, CPU, generator: new Generator(5, CPU));
        // A bit or two goes where one is added to a norm's weight and taken away.
        TinyModel.Difference(model.Decoder.Forward(ids, layout), decoder.Forward(ids, layout)).ShouldBeLessThan(1e-4);
    }

    public void Dispose() => _folder.Dispose();
}
