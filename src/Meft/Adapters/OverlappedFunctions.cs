using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// Where x leaves for the adapter: the operation that stands before the feed-forward block, so that its backward runs after the block's. The second
/// input is a dummy that requires a gradient, as <see cref="SparseAdapterFunction"/> has one.
/// </summary>
internal sealed class DepartFunction : GuardedFunction<DepartFunction>
{
    private const string Call = "call";

    /// <inheritdoc/>
    public override string Name => "MeftDepart";

    /// <inheritdoc/>
    protected override int InputCount => 3;

    /// <summary>x [T, D], anchor [1] → ticket [1], on x's device: autograd keeps a queue of operations for each device.</summary>
    public static Tensor Apply(Tensor x, Tensor anchor, OverlappedCall call) => Record(x, anchor, call);

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var x = (Tensor)inputs[0];
        ctx.save_for_backward([x]);
        ctx.save_data(Call, inputs[2]);
        return empty(1, ScalarType.Float32, x.device); // never read
    }

    /// <inheritdoc/>
    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        using var x = ctx.get_saved_variables()[0];
        return [((OverlappedCall)ctx.get_data(Call)).FinishBackward(x), null, null];
    }

    /// <inheritdoc/>
    protected override void Abandon(autograd.AutogradContext ctx) => ((OverlappedCall)ctx.get_data(Call)).AbandonBackward();
}

/// <summary>Where y arrives from the adapter: the operation after the feed-forward block, so that its backward runs before the block's.</summary>
internal sealed class ArriveFunction : GuardedFunction<ArriveFunction>
{
    private const string Call = "call";

    /// <inheritdoc/>
    public override string Name => "MeftArrive";

    /// <inheritdoc/>
    protected override int InputCount => 2;

    /// <summary>ticket [1] → y [T, D].</summary>
    public static Tensor Apply(Tensor ticket, OverlappedCall call) => Record(ticket, call);

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var call = (OverlappedCall)inputs[1];
        ctx.save_data(Call, call);
        return call.Forward();
    }

    /// <inheritdoc/>
    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        ((OverlappedCall)ctx.get_data(Call)).BeginBackward(dy);
        return [empty(1, ScalarType.Float32, dy.device), null]; // the ticket's gradient, never read
    }
}
