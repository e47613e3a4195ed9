using Meft.Adapters.Execution;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// The sparse adapter as an operation of autograd. The second input is a dummy that requires a gradient, so that the lowest adapted layer,
/// whose input needs none, is part of the graph all the same.
/// </summary>
internal sealed class SparseAdapterFunction : autograd.SingleTensorFunction<SparseAdapterFunction>
{
    private const string State = "state";

    /// <inheritdoc/>
    public override string Name => "MeftSparseAdapter";

    /// <summary>x [T, D], anchor [1] → y [T, D] in x's type and on its device.</summary>
    public static Tensor Apply(Tensor x, Tensor anchor, SparseAdapter adapter, AdapterPass pass) => apply(x, anchor, (adapter, pass));

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        ArgumentNullException.ThrowIfNull(vars);
        ctx.set_materialize_grads(false); // as GuardedFunction does
        var x = (Tensor)vars[0];
        var (adapter, pass) = ((SparseAdapter, AdapterPass))vars[2];
        ctx.save_for_backward([x]);
        ctx.save_data(State, vars[2]);
        return adapter.Executor.Forward(pass, x);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        var (adapter, pass) = ((SparseAdapter, AdapterPass))ctx.get_data(State);
        // An exception must not cross libtorch's frames: it is kept, and thrown when backward has returned.
        try
        {
            if (grad_output.IsInvalid)
            {
                pass.Dispose();
                return [null!, null!, null!];
            }
            using var handles = new BackwardHandles(grad_output);
            using var x = ctx.get_saved_variables()[0];
            using (pass) return handles.Return(adapter.Executor.Backward(pass, x, grad_output), null, null);
        }
        catch (Exception e) when (adapter.KeepFailure(e))
        {
            return [null!, null!, null!];
        }
    }
}
