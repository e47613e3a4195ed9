using Meft.Core.Formats.HuggingFace;
using Meft.Kernels.Rows;
using Meft.Native;
using static Meft.Models.HostFloats;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>activation(gate) · up by <see cref="GatedRows"/>; keeps gate and up for the backward.</summary>
internal sealed class HostGatedUnit : GuardedFunction<HostGatedUnit>
{
    public override string Name => nameof(HostGatedUnit);

    protected override int InputCount => 3;

    /// <summary>The kernels' name of an activation; null for one that they do not compute.</summary>
    public static GateActivation? KernelOf(Activation activation) => activation switch
    {
        Activation.Silu => GateActivation.Silu,
        Activation.GeluTanh => GateActivation.GeluTanh,
        _ => null,
    };

    /// <summary>gate [T, F], up [T, F] → [T, F].</summary>
    public static Tensor Apply(Tensor gate, Tensor up, GateActivation activation)
    {
        using var scope = NewDisposeScope();
        gate = gate.contiguous();
        up = up.contiguous();
        var recorded = is_grad_enabled() && (gate.requires_grad || up.requires_grad);
        return (recorded ? Record(gate, up, activation) : Forward(gate, up, activation)).MoveToOuterDisposeScope();
    }

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var (gate, up, activation) = ((Tensor)inputs[0], (Tensor)inputs[1], (GateActivation)inputs[2]);
        ctx.save_for_backward([gate, up]);
        ctx.save_data(nameof(GateActivation), activation);
        return Forward(gate, up, activation);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        dy = dy.contiguous();
        var saved = ctx.get_saved_variables();
        Tensor gate = saved[0], up = saved[1], dGate = empty_like(gate), dUp = empty_like(up);
        GatedGradient.Apply(
            (GateActivation)ctx.get_data(nameof(GateActivation)), Address(gate), Address(up), Address(dy), Format(gate), gate.numel(),
            Address(dGate), Address(dUp));
        return [dGate, dUp, null];
    }

    private static Tensor Forward(Tensor gate, Tensor up, GateActivation activation)
    {
        var y = empty_like(gate);
        GatedRows.Apply(
            activation, Address(gate), Address(up), Format(gate), gate.numel(), Address(y));
        return y;
    }
}
