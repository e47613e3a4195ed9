using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>A frozen linear map as an operation of autograd; keeps nothing for the backward, which needs the weight alone.</summary>
internal sealed class FrozenLinear : GuardedFunction<FrozenLinear>
{
    public override string Name => nameof(FrozenLinear);

    protected override int InputCount => 2;

    /// <summary>x [T, in] → x·Wᵀ + b [T, out].</summary>
    public static Tensor Apply(Tensor x, LinearWeights weights) => Record(x, weights);

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var (x, weights) = ((Tensor)inputs[0], (LinearWeights)inputs[1]);
        ctx.save_data(nameof(LinearWeights), weights);
        return weights.Map(x);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        return [((LinearWeights)ctx.get_data(nameof(LinearWeights))).InputGradient(dy.contiguous()), null];
    }
}
