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
    public void Logits_loss_and_embedding_gradient_agree(string name) => TinyModelParityTests.RequireParity(name, Card.Require());

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
