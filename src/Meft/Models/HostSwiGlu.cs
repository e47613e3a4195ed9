using Meft.Kernels.Rows;
using Meft.Native;
using static Meft.Models.HostFloats;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>silu(gate) · up by <see cref="SwiGluRows"/>; keeps gate and up for the backward.</summary>
internal sealed class HostSwiGlu : autograd.SingleTensorFunction<HostSwiGlu>
{
    public override string Name => nameof(HostSwiGlu);

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

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var handles = new BackwardHandles(grad_output);
        var saved = ctx.get_saved_variables();
        Tensor gate = saved[0], up = saved[1], dy = grad_output.contiguous(), dGate = empty_like(gate), dUp = empty_like(up);
        SwiGluGradient.Apply(
            Address(gate), Address(up), Address(dy), Format(gate), gate.numel(),
            Address(dGate), Address(dUp));
        return handles.Return(dGate, dUp);
    }

    private static Tensor Forward(Tensor gate, Tensor up)
    {
        var y = empty_like(gate);
        SwiGluRows.Apply(
            Address(gate), Address(up), Format(gate), gate.numel(), Address(y));
        return y;
    }
}
