using Meft.Core.Configuration;
using Meft.Loading;
using Meft.Models;
using Meft.Tests.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Devices.Cuda;

/// <summary>Models on a real card against the goldens that the CPU is held to.</summary>
[Trait("Category", "Card")]
public class CardModelTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    public void Logits_loss_and_embedding_gradient_agree(string name)
    {
        var card = Card.Require();
        using var model = new TinyModel(TinyModel.Folder(name));
        using var decoder = Decoder.Load(TinyModel.Folder(name), card, ScalarType.Float32);
        using var scope = NewDisposeScope();
        using var layout = TokenLayout.FromMask(model.Mask, card);
        Tensor Pack(Tensor padded) => layout.Pack(padded.to(card));

        var embedded = decoder.Embed(Pack(model.Ids)).detach().requires_grad_();
        var logits = decoder.Logits(decoder.ForwardEmbedded(embedded, layout));
        TinyModel.Difference(logits, Pack(model.Logits)).ShouldBeLessThan(Tolerance);

        var ignored = full([model.Labels.shape[0], 1], -100, int64);
        var targets = Pack(cat([model.Labels.narrow(1, 1, model.Labels.shape[1] - 1), ignored], 1));
        var loss = nn.functional.cross_entropy(logits, targets, ignore_index: -100);
        loss.item<float>().ShouldBe((float)model.Golden.RootElement.GetProperty("loss").GetDouble(), Tolerance);

        loss.backward();
        var multiplier = decoder.Config.Architecture == "GraniteForCausalLM" ? decoder.Config.Multipliers.Embedding : 1;
        TinyModel.Difference(embedded.grad! * multiplier, Pack(model.EmbeddingGradient)).ShouldBeLessThan(Tolerance);
    }

    [Theory]
    [InlineData(Quantization.Int8, BasePlacement.Resident)]
    [InlineData(Quantization.Nf4, BasePlacement.Resident)]
    [InlineData(Quantization.Int8, BasePlacement.Streamed)]
    [InlineData(Quantization.Nf4, BasePlacement.Streamed)]
    [InlineData(Quantization.None, BasePlacement.Streamed)]
    public void Held_in_another_form_it_computes_what_the_CPU_computes(Quantization quantize, BasePlacement placement)
    {
        var card = Card.Require();
        using var golden = new TinyModel(TinyModel.Folder("tiny/llama"));
        Tensor Logits(Device device)
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var name = device.type == TorchSharp.DeviceType.CPU ? "cpu" : "cuda";
            var options = new ModelLoadOptions { Device = name, DType = BaseDType.Fp32, Quantize = quantize, Base = placement };
            using var model = LoadedModel.Load(TinyModel.Folder("tiny/llama"), options);
            using var layout = TokenLayout.FromMask(golden.Mask, device);
            return model.Decoder.Forward(layout.Pack(golden.Ids.to(device)), layout).cpu().MoveToOuterDisposeScope();
        }
        using Tensor expected = Logits(CPU), actual = Logits(card);
        TinyModel.Difference(actual, expected).ShouldBeLessThan(Tolerance);
    }
}
