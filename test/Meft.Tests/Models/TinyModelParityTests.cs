using Meft.Models;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>Every folder of models/tiny and models/families against what transformers computed in float64 from the same weights.</summary>
[Trait("Category", "Fixtures")]
public class TinyModelParityTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    public void Logits_loss_and_embedding_gradient_agree(string name) => RequireParity(name, CPU);

    /// <summary>Computes on a device what the goldens hold.</summary>
    internal static void RequireParity(string name, Device device)
    {
        using var model = new TinyModel(TinyModel.Folder(name), device);
        using var scope = NewDisposeScope();
        using var layout = TokenLayout.FromMask(model.Mask, device);
        Tensor Pack(Tensor padded) => layout.Pack(padded.to(device));

        var embedded = model.Decoder.Embed(Pack(model.Ids)).detach().requires_grad_();
        var logits = model.Decoder.Logits(model.Decoder.ForwardEmbedded(embedded, layout));
        TinyModel.Difference(logits, Pack(model.Logits)).ShouldBeLessThan(Tolerance);

        // A token predicts the next label of its own row; a row's last token predicts nothing.
        var ignored = ScalarOperations.Filled([model.Labels.shape[0], 1], -100, int64, CPU);
        var targets = Pack(cat([model.Labels.narrow(1, 1, model.Labels.shape[1] - 1), ignored], 1));
        var loss = nn.functional.cross_entropy(logits, targets, ignore_index: -100);
        loss.item<float>().ShouldBe((float)model.Golden.RootElement.GetProperty("loss").GetDouble(), Tolerance);

        loss.backward();
        // transformers' Granite multiplies what it is given as embeddings; elsewhere that belongs to the embedding, as here.
        var multiplier = model.Decoder.Config.Architecture == "GraniteForCausalLM" ? model.Decoder.Config.Multipliers.Embedding : 1;
        TinyModel.Difference(embedded.grad!.Times(multiplier), Pack(model.EmbeddingGradient)).ShouldBeLessThan(Tolerance);
    }

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    public void Where_the_padding_stands_changes_no_bit(string name)
    {
        using var model = new TinyModel(TinyModel.Folder(name));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var right = TokenLayout.FromMask(model.Mask, CPU);
        using var left = TokenLayout.FromMask(TinyModel.LeftPadded(model.Mask, model.Mask), CPU);

        var fromRight = model.Decoder.Forward(right.Pack(model.Ids), right);
        var fromLeft = model.Decoder.Forward(left.Pack(TinyModel.LeftPadded(model.Ids, model.Mask)), left);
        TinyModel.Difference(fromRight, fromLeft).ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(TinyModel.Names), MemberType = typeof(TinyModel))]
    public void A_row_alone_gives_what_it_gives_in_a_batch(string name)
    {
        using var model = new TinyModel(TinyModel.Folder(name));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var layout = TokenLayout.FromMask(model.Mask, CPU);
        var ids = layout.Pack(model.Ids);
        var together = model.Decoder.Forward(ids, layout);
        for (var row = 0; row < layout.Rows; row++)
        {
            using var single = TokenLayout.FromLengths([layout.Lengths[row]], CPU);
            var alone = model.Decoder.Forward(ids.narrow(0, layout.Offsets[row], layout.Lengths[row]), single);
            TinyModel.Difference(alone, together.narrow(0, layout.Offsets[row], layout.Lengths[row])).ShouldBeLessThan(1e-5);
        }
    }
}
