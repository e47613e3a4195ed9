using Meft.Core.Formats.HuggingFace;
using Meft.Kernels.Rows;
using Meft.Native;
using static Meft.Models.HostFloats;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>RMSNorm by <see cref="RootMeanSquareRows"/>, with a frozen weight; keeps its input for the backward and nothing else.</summary>
internal sealed class HostNorm : GuardedFunction<HostNorm>
{
    private const string Epsilon = "epsilon", Scaling = "scaling";

    public override string Name => nameof(HostNorm);

    protected override int InputCount => 4;

    /// <summary>Whether this norm can be computed here.</summary>
    public static bool Takes(Tensor x, Tensor weight) => HostFloats.Takes(x) && weight.dtype == x.dtype && !weight.requires_grad;

    /// <summary>The kernels' name of a scaling.</summary>
    public static WeightScaling KernelOf(NormScaling scaling) => scaling switch
    {
        NormScaling.BeforeRounding => WeightScaling.BeforeRounding,
        NormScaling.OnePlusWeight => WeightScaling.OnePlusWeight,
        _ => WeightScaling.AfterRounding,
    };

    /// <summary>x [.., n], weight [n] → [.., n].</summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, NormScaling scaling)
    {
        using var scope = NewDisposeScope();
        x = x.contiguous();
        var y = is_grad_enabled() && x.requires_grad ? Record(x, weight, epsilon, scaling) : Forward(x, weight, epsilon, scaling);
        return y.MoveToOuterDisposeScope();
    }

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var (x, weight, epsilon, scaling) = ((Tensor)inputs[0], (Tensor)inputs[1], (double)inputs[2], (NormScaling)inputs[3]);
        ctx.save_for_backward([x, weight]);
        ctx.save_data(Epsilon, epsilon);
        ctx.save_data(Scaling, scaling);
        return Forward(x, weight, epsilon, scaling);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        dy = dy.contiguous();
        var saved = ctx.get_saved_variables();
        Tensor x = saved[0], weight = saved[1], dx = empty_like(x);
        RootMeanSquareGradient.Apply(
            Address(x), Address(weight), Address(dy), Format(x),
            (double)ctx.get_data(Epsilon), Rows(x), (int)x.shape[^1], Address(dx), KernelOf((NormScaling)ctx.get_data(Scaling)));
        return [dx, null, null, null];
    }

    private static Tensor Forward(Tensor x, Tensor weight, double epsilon, NormScaling scaling)
    {
        var y = empty_like(x);
        RootMeanSquareRows.Apply(
            Address(x), Address(weight), Format(x), epsilon, Rows(x), (int)x.shape[^1], Address(y), KernelOf(scaling));
        GC.KeepAlive(weight); // which no scope holds
        return y;
    }

    private static int Rows(Tensor x) => checked((int)(x.numel() / x.shape[^1]));
}
