using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// The sparse adapter as an operation of autograd: activations travel to the host as float32, the sparse arithmetic runs there, and the
/// result travels back. The second input is a dummy that requires a gradient, so that the lowest adapted layer, whose input needs none,
/// is part of the graph all the same.
/// </summary>
internal sealed class SparseAdapterFunction : autograd.SingleTensorFunction<SparseAdapterFunction>
{
    private const string State = "state";

    /// <inheritdoc/>
    public override string Name => "MeftSparseAdapter";

    /// <summary>x [T, D], anchor [1], the layer's call → y [T, D] in x's type and on its device.</summary>
    public static Tensor Apply(Tensor x, Tensor anchor, SparseAdapterCall call) => apply(x, anchor, call);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        ArgumentNullException.ThrowIfNull(vars);
        var (x, call) = ((Tensor)vars[0], (SparseAdapterCall)vars[2]);
        var y = call.Forward(x, out var hostInput);
        ctx.save_for_backward([hostInput]);
        ctx.save_data(State, call);
        return y;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        using var x = ctx.get_saved_variables()[0];
        return [((SparseAdapterCall)ctx.get_data(State)).Backward(x, grad_output), null!, null!];
    }
}
