using Meft.Kernels.Rows;
using Meft.Native;
using static Meft.Models.HostFloats;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>silu(gate) · up by <see cref="SwiGluRows"/>; keeps gate and up for the backward.</summary>
internal sealed class HostSwiGlu : GuardedFunction<HostSwiGlu>
{
    public override string Name => nameof(HostSwiGlu);

    protected override int InputCount => 2;

    /// <summary>gate [T, F], up [T, F] → [T, F].</summary>
    public static Tensor Apply(Tensor gate, Tensor up)
    {
        using var scope = NewDisposeScope();
        gate = gate.contiguous();
        up = up.contiguous();
        var recorded = is_grad_enabled() && (gate.requires_grad || up.requires_grad);
        return (recorded ? apply(gate, up) : Forward(gate, up)).MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (gate, up) = ((Tensor)vars[0], (Tensor)vars[1]);
        ctx.save_for_backward([gate, up]);
        return Forward(gate, up);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        dy = dy.contiguous();
        var saved = ctx.get_saved_variables();
        Tensor gate = saved[0], up = saved[1], dGate = empty_like(gate), dUp = empty_like(up);
        SwiGluGradient.Apply(
            Address(gate), Address(up), Address(dy), Format(gate), gate.numel(),
            Address(dGate), Address(dUp));
        return [dGate, dUp];
    }

    private static Tensor Forward(Tensor gate, Tensor up)
    {
        var y = empty_like(gate);
        SwiGluRows.Apply(
            Address(gate), Address(up), Format(gate), gate.numel(), Address(y));
        return y;
    }
}
