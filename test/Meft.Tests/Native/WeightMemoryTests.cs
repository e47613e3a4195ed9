using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Native;

public class WeightMemoryTests
{
    [Fact]
    public unsafe void Tensors_lie_apart_and_outlive_what_they_were_cut_from()
    {
        long[][] shapes = [[1000, 1000], [3], [], [0, 4], [500, 1001]];
        var bytes = shapes.Select(shape => 4 * shape.Aggregate(1L, (a, b) => a * b)).ToList();
        var memory = WeightMemory.TryFor(bytes);
        Assert.SkipWhen(memory is null, "not Linux");
        var tensors = shapes.Select(shape => memory.Take(shape, ScalarType.Float32)).ToList();
        Should.Throw<InvalidOperationException>(() => memory.Take([1000], ScalarType.Float32));
        memory.Dispose();
        for (var i = 0; i < tensors.Count; i++) tensors[i].FillWith(i + 1);
        for (var i = 0; i < tensors.Count; i++)
        {
            tensors[i].shape.ShouldBe(shapes[i]);
            tensors[i].Is(i + 1).all().item<bool>().ShouldBeTrue();
            if (bytes[i] > 0) ((nint)TensorMemory.Pointer(tensors[i]) % 64).ShouldBe(0);
        }
        // A view holds the region as the tensor did.
        using (var view = tensors[4][3])
        {
            foreach (var tensor in tensors) tensor.Dispose();
            view.Is(5).all().item<bool>().ShouldBeTrue();
            memory.IsGivenBack.ShouldBeFalse();
        }
        memory.IsGivenBack.ShouldBeTrue();
        Should.Throw<ObjectDisposedException>(() => memory.Take([1], ScalarType.Float32));
    }

    [Fact]
    public void Weights_of_a_region_can_be_trained()
    {
        using var memory = WeightMemory.TryFor([8 << 20]);
        Assert.SkipWhen(memory is null, "not Linux");
        Tensor weight;
        using (no_grad()) weight = memory.Take([2, 3], ScalarType.Float32).FillWith(2);
        weight.requires_grad = true;
        using (weight)
        {
            weight.is_leaf.ShouldBeTrue();
            weight.Squared().sum().backward();
            weight.grad.ShouldNotBeNull().Is(4).all().item<bool>().ShouldBeTrue();
        }
    }

    [Fact]
    public void What_nothing_was_cut_from_is_given_back_at_once()
    {
        var memory = WeightMemory.TryFor([8 << 20]);
        Assert.SkipWhen(memory is null, "not Linux");
        memory.IsGivenBack.ShouldBeFalse();
        memory.Dispose();
        memory.Dispose();
        memory.IsGivenBack.ShouldBeTrue();
    }

    [Fact]
    public void Few_weights_need_none() => WeightMemory.TryFor([1000, 1000]).ShouldBeNull();
}
