using Meft.Adapters.Lora;
using Meft.Models;
using Meft.Tests.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters.Lora;

public class LoraDropoutTests
{
    private static readonly LoraDropout Dropout = new(0.25, Seed: 3, Step: 5, MicroBatch: 1);

    [Fact]
    public void Numbers_are_dropped_at_its_rate_and_the_others_scaled()
    {
        using var scope = NewDisposeScope();
        var kept = Dropout.Apply(ones(200, 500), 2, LinearMap.Value);
        kept.Is(0).to(float64).mean().item<double>().ShouldBe(0.25, 0.01);
        kept.max().item<float>().ShouldBe(1 / 0.75f);
        kept.mean().item<float>().ShouldBe(1, 0.02);
    }

    [Fact]
    public void The_same_place_has_the_same_mask_and_every_other_place_another()
    {
        using var scope = NewDisposeScope();
        var x = ones(20, 30);
        var mask = Dropout.Apply(x, 2, LinearMap.Value);
        manual_seed(99);
        TinyModel.Same(Dropout.Apply(x, 2, LinearMap.Value), mask).ShouldBeTrue();
        Tensor[] others =
        [
            (Dropout with { Seed = 4 }).Apply(x, 2, LinearMap.Value),
            (Dropout with { Step = 6 }).Apply(x, 2, LinearMap.Value),
            (Dropout with { MicroBatch = 0 }).Apply(x, 2, LinearMap.Value),
            Dropout.Apply(x, 1, LinearMap.Value),
            Dropout.Apply(x, 2, LinearMap.Query),
            // Step and micro-batch exchanged.
            (Dropout with { Step = 1, MicroBatch = 5 }).Apply(x, 2, LinearMap.Value),
        ];
        foreach (var other in others)
        {
            // Independent masks differ in 2·p·(1 − p) of their numbers.
            other.ne(mask).to(float64).mean().item<double>().ShouldBe(0.375, 0.1);
        }
    }

    [Fact]
    public void The_global_generator_is_left_alone()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var expected = rand(4);
        manual_seed(1);
        Dropout.Apply(ones(3, 3), 0, LinearMap.Up);
        TinyModel.Same(rand(4), expected).ShouldBeTrue();
    }

    [Fact]
    public void Gradients_pass_through_what_was_kept()
    {
        using var scope = NewDisposeScope();
        var x = ones(6, 7).requires_grad_();
        var y = Dropout.Apply(x, 0, LinearMap.Down);
        y.sum().backward();
        TinyModel.Same(x.grad!, y.detach()).ShouldBeTrue();
    }
}
