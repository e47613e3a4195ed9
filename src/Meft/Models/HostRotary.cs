using Meft.Kernels.Rows;
using Meft.Native;
using static Meft.Models.HostFloats;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Rotary position embedding by <see cref="RotaryRows"/>; keeps nothing for the backward but the layout's own tables.</summary>
internal sealed class HostRotary : GuardedFunction<HostRotary>
{
    public override string Name => nameof(HostRotary);

    protected override int InputCount => 2;

    /// <summary>x [T, H, hd] → [T, H, hd], turned.</summary>
    public static Tensor Apply(Tensor x, RotaryTables tables)
    {
        using var scope = NewDisposeScope();
        x = x.contiguous();
        var y = is_grad_enabled() && x.requires_grad ? Record(x, tables) : Turn(x, tables, inverse: false);
        return y.MoveToOuterDisposeScope();
    }

    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var (x, tables) = ((Tensor)inputs[0], (RotaryTables)inputs[1]);
        ctx.save_for_backward([tables.Cosine, tables.Sine]); // the layout's own may be gone by then
        return Turn(x, tables, inverse: false);
    }

    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        var saved = ctx.get_saved_variables();
        var dx = Turn(dy.contiguous(), new RotaryTables(saved[0], saved[1]), inverse: true);
        return [dx, null];
    }

    private static Tensor Turn(Tensor x, RotaryTables tables, bool inverse)
    {
        var y = empty_like(x);
        RotaryRows.Apply(
            Address(x), Address(tables.Cosine), Address(tables.Sine), Format(x),
            (int)x.shape[0], (int)x.shape[1], (int)x.shape[2], 2 * (int)tables.Cosine.shape[2], Address(y), inverse);
        GC.KeepAlive(tables); // which no scope holds
        return y;
    }
}
