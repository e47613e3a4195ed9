using Meft.Adapters.Execution;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// The sparse adapter as an operation of autograd. The second input is a dummy that requires a gradient, so that the lowest adapted layer,
/// whose input needs none, is part of the graph all the same.
/// </summary>
internal sealed class SparseAdapterFunction : GuardedFunction<SparseAdapterFunction>
{
    private const string State = "state";

    /// <inheritdoc/>
    public override string Name => "MeftSparseAdapter";

    /// <inheritdoc/>
    protected override int InputCount => 3;

    /// <summary>x [T, D], anchor [1] → y [T, D] in x's type and on its device.</summary>
    public static Tensor Apply(Tensor x, Tensor anchor, SparseAdapter adapter, AdapterPass pass) => Record(x, anchor, (adapter, pass));

    /// <inheritdoc/>
    protected override Tensor Compute(autograd.AutogradContext ctx, object[] inputs)
    {
        var x = (Tensor)inputs[0];
        var (adapter, pass) = ((SparseAdapter, AdapterPass))inputs[2];
        ctx.save_for_backward([x]);
        ctx.save_data(State, inputs[2]);
        return adapter.Executor.Forward(pass, x);
    }

    /// <inheritdoc/>
    protected override Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy)
    {
        var (adapter, pass) = ((SparseAdapter, AdapterPass))ctx.get_data(State);
        // Kept by the adapter, which throws it when backward has returned.
        try
        {
            using var x = ctx.get_saved_variables()[0];
            using (pass) return [adapter.Executor.Backward(pass, x, dy), null, null];
        }
        catch (Exception e) when (adapter.KeepFailure(e))
        {
            return [null, null, null];
        }
    }

    /// <inheritdoc/>
    protected override void Abandon(autograd.AutogradContext ctx) => (((SparseAdapter, AdapterPass Pass))ctx.get_data(State)).Pass.Dispose();
}
