using Meft.Core.Formats.HuggingFace;
using Meft.Core.Planning;
using Meft.Models;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Planning;

/// <summary>What malloc holds after a forward pass, against the list of what autograd keeps.</summary>
[Collection(nameof(AloneCollection))]
public sealed class KeptForBackwardTests
{
    private const int Rows = 4, Length = 256;

    private static readonly ModelConfig Model = new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = 32,
        HiddenSize = 192,
        IntermediateSize = 512,
        LayerCount = 6,
        HeadCount = 6,
        KeyValueHeadCount = 2,
        HeadSize = 32,
        MaxPositions = 256,
    };

    /// <summary>Where the families differ in what they keep.</summary>
    public static TheoryData<string, ScalarType, bool> Families => new(
        from family in new[] { "olmo2", "granite", "phi3", "gemma" }
        from type in new[] { ScalarType.BFloat16, ScalarType.Float32 }
        from trained in new[] { false, true }
        select (family, type, trained));

    [Theory]
    [MemberData(nameof(Families))]
    public void So_with_every_family(string family, ScalarType type, bool trained) => Check(type, trained, family switch
    {
        "olmo2" => Model with { NormPlacement = NormPlacement.After, NormScaling = NormScaling.BeforeRounding, QueryKeyNorm = true, QueryKeyNormOverHeads = true },
        "granite" => Model with { Multipliers = new Multipliers { Residual = 0.3, Attention = 0.1 }, RotaryLayers = [true, false, true, false, true, true] },
        "phi3" => Model with { FusedProjections = true, Rope = new RopeConfig { PartialFactor = 0.75 } },
        _ => Model with
        {
            NormPlacement = NormPlacement.Around,
            NormScaling = NormScaling.OnePlusWeight,
            QueryKeyNorm = true,
            Activation = Activation.GeluTanh,
            SoftCaps = new SoftCaps { Attention = 5 },
        },
    });

    [Theory]
    [InlineData(ScalarType.BFloat16, false, false, Activation.Silu)]
    [InlineData(ScalarType.Float32, false, false, Activation.Silu)]
    [InlineData(ScalarType.Float16, false, false, Activation.Silu)]
    [InlineData(ScalarType.BFloat16, true, false, Activation.Silu)]
    [InlineData(ScalarType.Float32, true, false, Activation.Gelu)]
    [InlineData(ScalarType.BFloat16, false, true, Activation.GeluTanh)]
    public void The_allocator_holds_what_the_list_says(ScalarType type, bool trained, bool queryKeyNorm, Activation activation)
        => Check(type, trained, Model with { QueryKeyNorm = queryKeyNorm, Activation = activation });

    private static void Check(ScalarType type, bool trained, ModelConfig model)
    {
        Assert.SkipWhen(HostHeap.Usage() is null, "only glibc's malloc can be asked what it holds");
        using var decoder = Decoder.Initialize(model, 1, CPU, type);
        decoder.SetTrainable(trained);
        var width = TensorMemory.ElementBytes(type);
        const long tokens = Rows * Length;
        // A frozen norm, and any of a float32 model, keeps its input: the first one of a layer the hidden state itself.
        var hidden = KeepsHidden(decoder) ? tokens * model.HiddenSize * (long)width : 0;
        var expected = model.LayerCount * (hidden + tokens * KeptForBackward.BytesPerToken(model, width, trained, onHost: HostFloats.Takes(type)));

        // The allocator is the whole process's: what libtorch's threads or a finalizer do meanwhile is in a single measurement too.
        var held = Enumerable.Range(0, 5).Select(_ => HeldByLayers(decoder)).Order().ElementAt(2);
        // Of float16 the list is a card's, where attention repeats the heads of keys and values.
        ((double)held / expected).ShouldBeInRange(HostFloats.Takes(type) ? 0.98 : 0.95, 1.02);
    }

    private static long HeldByLayers(Decoder decoder)
    {
        using var scope = NewDisposeScope();
        using var layout = TokenLayout.FromLengths([Length, Length, Length, Length], CPU);
        var h = randn(Rows * Length, Model.HiddenSize, ScalarType.Float32).to(decoder.DataType).requires_grad_(true);
        // Tables of cosines, thread pools and compiled products come to be in a first pass.
        using (NewDisposeScope()) Pass(decoder, h, layout);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = HostHeap.Usage()!.Value.InUse;
        var result = Pass(decoder, h, layout);
        var held = HostHeap.Usage()!.Value.InUse - before;
        GC.KeepAlive(result);
        // The result is the hidden state after the last layer, which nothing keeps; where hidden states are kept the first one is too, and is not new.
        return KeepsHidden(decoder) ? held : held - TensorMemory.ByteCount(result);
    }

    /// <summary>Where no norm stands before the blocks, it is trained maps that keep the hidden state, and frozen ones that do not.</summary>
    private static bool KeepsHidden(Decoder decoder) => decoder.Config.NormPlacement == NormPlacement.After
        ? decoder.IsTrainable
        : decoder.DataType == ScalarType.Float32 || !decoder.IsTrainable;

    private static Tensor Pass(Decoder decoder, Tensor h, TokenLayout layout)
    {
        var first = h;
        for (var layer = 0; layer < decoder.Config.LayerCount; layer++)
        {
            var next = decoder.ForwardLayer(layer, h, layout);
            if (!ReferenceEquals(h, first)) h.Dispose();
            h = next;
        }
        return h;
    }
}
