using Meft.Kernels.Attention;
using Meft.Native;
using static Meft.Models.HostFloats;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Attention by <see cref="PackedAttention"/>, for float32 and bfloat16 tensors in host memory.</summary>
internal sealed class HostAttention : GuardedFunction<HostAttention>
{
    public override string Name => nameof(HostAttention);

    protected override int InputCount => 4;

    /// <summary>q [T, H, hd], k and v [T, Hkv, hd] → [T, H·hd]; each token over its own row up to itself.</summary>
    public static Tensor Within(Tensor q, Tensor k, Tensor v, TokenLayout layout, AttentionTerms terms)
    {
        int heads = (int)q.shape[1], size = (int)q.shape[2];
        var shape = AttentionShape.Packed(layout.Offsets, layout.Lengths, heads, (int)k.shape[1], size, (float)terms.Scale, terms.Window, (float?)terms.SoftCap);
        using var scope = NewDisposeScope();
        q = q.contiguous();
        k = k.contiguous();
        v = v.contiguous();
        var recorded = is_grad_enabled() && (q.requires_grad || k.requires_grad || v.requires_grad);
        return (recorded ? Record(q, k, v, shape) : Forward(q, k, v, shape)).MoveToOuterDisposeScope();
    }

    /// <summary>q [T, H, hd] → [T, H·hd], over keys and values [slots, Hkv, capacity, hd] that hold the T tokens already.</summary>
    public static Tensor OverCache(Tensor q, Tensor keys, Tensor values, IReadOnlyList<int> slots, TokenLayout layout, AttentionTerms terms)
    {
        int heads = (int)q.shape[1], size = (int)q.shape[2];
        var shape = AttentionShape.Cached(
            layout.Offsets, layout.Lengths, layout.Starts, (int)keys.shape[2], heads, (int)keys.shape[1], size, (float)terms.Scale, terms.Window,
            slots, (float?)terms.SoftCap);
        using var scope = NewDisposeScope();
        return Forward(q.contiguous(), keys, values, shape).MoveToOuterDisposeScope();
    }

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        Tensor q = (Tensor)inputs[0], k = (Tensor)inputs[1], v = (Tensor)inputs[2];
        var shape = (AttentionShape)inputs[3];
        using var scope = NewDisposeScope();
        var output = Forward(q, k, v, shape);
        ctx.save_for_backward([q, k, v]);
        ctx.save_data(nameof(AttentionShape), shape);
        return output.MoveToOuterDisposeScope();
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        var saved = ctx.get_saved_variables();
        Tensor q = saved[0], k = saved[1], v = saved[2];
        Tensor dq = empty_like(q), dk = empty_like(k), dv = empty_like(v);
        var gradients = new AttentionGradients(Address(dy.contiguous()), Address(dq), Address(dk), Address(dv));
        PackedAttention.Backward(
            (AttentionShape)ctx.get_data(nameof(AttentionShape)), Format(q), Address(q), Address(k), Address(v), gradients);
        return [dq, dk, dv, null];
    }

    private static Tensor Forward(Tensor q, Tensor k, Tensor v, AttentionShape shape)
    {
        var output = empty([q.shape[0], q.shape[1] * q.shape[2]], q.dtype);
        PackedAttention.Forward(shape, Format(q), Address(q), Address(k), Address(v), Address(output));
        // Of a cache, which no scope holds.
        GC.KeepAlive(k);
        GC.KeepAlive(v);
        return output;
    }
}
