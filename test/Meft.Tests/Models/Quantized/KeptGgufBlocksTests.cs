using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.Gguf;
using Meft.Loading;
using Meft.Models;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models.Quantized;

/// <summary>SmolLM2 with its file's Q4_1 blocks in memory.</summary>
[Trait("Category", "Fixtures")]
public class KeptGgufBlocksTests
{
    [Fact]
    public void Blocks_in_memory_are_read_as_the_file_is()
    {
        var file = Assets.Require("models", "smollm2-135m-instruct", "model.Q4_1.gguf");
        using var source = GgufModelSource.Open(file);
        using var model = LoadedModel.Load(file, new ModelLoadOptions { Device = "cpu", DType = BaseDType.Fp32, Quantize = Quantization.Gguf }, TestContext.Current.CancellationToken);
        model.Decoder.Quantization.ShouldBe(Quantization.Gguf);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var layers = model.Decoder.Parameters.Where(p => p.Value.dtype == ScalarType.Byte).ToList();
        layers.Count.ShouldBe(7 * model.Config.LayerCount);
        using var plain = LoadedModel.Load(file, new ModelLoadOptions { Device = "cpu", DType = BaseDType.Fp32 }, TestContext.Current.CancellationToken);
        var ids = tensor(new long[] { 1, 400, 2000, 7, 30000 });
        using var layout = TokenLayout.FromLengths([5], CPU);
        model.Decoder.Forward(ids, layout).equal(plain.Decoder.Forward(ids, layout)).all().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public void A_model_that_is_no_gguf_file_is_refused()
    {
        var folder = Assets.Require("models", "tiny", "llama");
        Should.Throw<InvalidInputException>(() => LoadedModel.Load(folder, new ModelLoadOptions { Device = "cpu", Quantize = Quantization.Gguf }, TestContext.Current.CancellationToken))
            .Message.ShouldContain("a .gguf file");
    }
}
