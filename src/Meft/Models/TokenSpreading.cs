using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// x [T, …] → [B·S, …]: tokens to their slots. A slot without a token shows another token, and its gradient is zero because
/// nothing that is read depends on it; so the gradient of a token is that of its own slot.
/// </summary>
internal sealed class SpreadTokens : GuardedFunction<SpreadTokens>
{
    public override string Name => nameof(SpreadTokens);

    protected override int InputCount => 3;

    public static Tensor Apply(Tensor x, TokenLayout layout) => layout.Slots is null ? x : Record(x, layout.SlotTokens!, layout.Slots);

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        ctx.save_for_backward([(Tensor)inputs[2]]);
        return ((Tensor)inputs[0]).index_select(0, (Tensor)inputs[1]);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        using var slots = ctx.get_saved_variables()[0];
        return [dy.index_select(0, slots), null, null];
    }
}

/// <summary>x [B·S, …] → [T, …]: tokens back from their slots. The gradient of a slot without a token is zero.</summary>
internal sealed class GatherTokens : GuardedFunction<GatherTokens>
{
    public override string Name => nameof(GatherTokens);

    protected override int InputCount => 4;

    public static Tensor Apply(Tensor x, TokenLayout layout) =>
        layout.Slots is null ? x : Record(x, layout.Slots, layout.SlotTokens!, layout.EmptySlots!);

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        ctx.save_for_backward([(Tensor)inputs[2], (Tensor)inputs[3]]);
        return ((Tensor)inputs[0]).index_select(0, (Tensor)inputs[1]);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        var saved = ctx.get_saved_variables();
        using var slotTokens = saved[0];
        using var emptySlots = saved[1];
        return [dy.index_select(0, slotTokens).FillSlices(0, emptySlots, 0), null, null, null];
    }
}

/// <summary>x [T, …] → [T, …]: the same tokens in another order.</summary>
internal sealed class ReorderTokens : GuardedFunction<ReorderTokens>
{
    public override string Name => nameof(ReorderTokens);

    protected override int InputCount => 3;

    /// <param name="x">The tokens.</param>
    /// <param name="order">[T] int64: the token that comes at each place.</param>
    /// <param name="places">[T] int64: the place that each token comes to.</param>
    public static Tensor Apply(Tensor x, Tensor order, Tensor places) => Record(x, order, places);

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        ctx.save_for_backward([(Tensor)inputs[2]]);
        return ((Tensor)inputs[0]).index_select(0, (Tensor)inputs[1]);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        using var places = ctx.get_saved_variables()[0];
        return [dy.index_select(0, places), null, null];
    }
}
