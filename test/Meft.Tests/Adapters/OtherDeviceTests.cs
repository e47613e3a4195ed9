using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Training;
using Meft.TestSupport;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

/// <summary>
/// A device that is not the CPU, in so far as a machine without a card has one: libtorch's device <c>meta</c> computes shapes only, but refuses, as a
/// card does, what mixes its tensors with those of the CPU.
/// </summary>
public class OtherDeviceTests
{
    private static readonly Device Meta = device("meta");

    [Fact]
    public void The_device_refuses_a_tensor_of_the_cpu()
    {
        using var scope = NewDisposeScope();
        Should.Throw<Exception>(() => zeros([2], ScalarType.Float32, Meta).Plus(ones(2)));
    }

    [Fact]
    public void Lora_with_dropout_computes_forward_and_backward_where_the_base_does()
    {
        using var scope = NewDisposeScope();
        var settings = new LoraSettings { Rank = 4, Alpha = 6, Dropout = 0.5, Targets = new TargetSelection.Named(["q_proj"]), Layers = [1] };
        using var adapter = new LoraAdapter(settings.Resolve(TinyTask.Config), Meta) { Dropout = new LoraDropout(0.5, 1, 1, 0) }.MakeTrainable();
        var x = zeros([5, TinyTask.Config.HiddenSize], ScalarType.BFloat16, Meta);
        adapter.Apply(1, LinearMap.Query, x, zeros([5, 16], ScalarType.BFloat16, Meta)).sum().backward();
        adapter.Parameters.ShouldAllBe(p => p.Value.grad!.device_type == TorchSharp.DeviceType.META);
    }

    [Fact]
    public void A_sparse_adapter_that_is_loaded_answers_on_the_bases_device()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var folder = new TemporaryFolder();
        using (var saved = new SparseAdapter(TinyTask.Spec).Initialize(seed: 3)) SparseAdapterFiles.Save(saved, TinyTask.Identity, folder.Path);
        var adapter = (SparseAdapter)AdapterFiles.Load(folder.Path, TinyTask.Config, Meta);
        using (adapter) adapter.Apply(1, ones(3, TinyTask.Config.HiddenSize)).device_type.ShouldBe(TorchSharp.DeviceType.META);
    }
}
