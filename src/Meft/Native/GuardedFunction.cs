using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// An operation of autograd whose backward is managed code. An exception must not cross libtorch's frames, which would end the process: it is kept, no
/// gradient is returned, and <see cref="BackwardFailure.ThrowIfAny"/> throws it when the whole backward has returned. What stands below is then
/// called without a gradient, and gives none either.
/// </summary>
/// <typeparam name="T">The operation itself.</typeparam>
internal abstract class GuardedFunction<T> : autograd.SingleTensorFunction<T> where T : GuardedFunction<T>, new()
{
    /// <summary>How many inputs <c>apply</c> is given: so many gradients there are.</summary>
    protected abstract int InputCount { get; }

    /// <inheritdoc/>
    public sealed override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        ArgumentNullException.ThrowIfNull(vars);
        // TorchSharp would put zeros like the result in place of a gradient that is not there, of a tensor that is freed by then.
        ctx.set_materialize_grads(false);
        return Compute(ctx, vars);
    }

    /// <inheritdoc/>
    public sealed override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        try
        {
            if (grad_output.IsInvalid)
            {
                Abandon(ctx);
                return None();
            }
            using var handles = new BackwardHandles(grad_output);
            return handles.Return(Gradients(ctx, grad_output));
        }
        catch (Exception e) when (BackwardFailure.Keep(e))
        {
            return None();
        }
    }

    /// <summary>Records the operation. Beside the result TorchSharp makes a tensor as large, which is freed here.</summary>
    /// <param name="inputs">What <see cref="Compute"/> is given.</param>
    protected static Tensor Record(params object[] inputs)
    {
        using var scope = NewDisposeScope();
        return apply(inputs).MoveToOuterDisposeScope();
    }

    /// <summary>The result.</summary>
    /// <param name="ctx">Keeps what the backward needs.</param>
    /// <param name="inputs">The inputs.</param>
    protected abstract Tensor Compute(autograd.AutogradContext ctx, object[] inputs);

    /// <summary>The gradient of each input, null where there is none. Runs within a dispose scope.</summary>
    /// <param name="ctx">What the forward saved.</param>
    /// <param name="dy">The gradient of the result.</param>
    protected abstract Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy);

    /// <summary>There will be no gradient, since what stands above has failed: frees what the backward would have freed.</summary>
    /// <param name="ctx">What the forward saved.</param>
    protected virtual void Abandon(autograd.AutogradContext ctx)
    {
    }

    private List<Tensor> None() => [.. Enumerable.Repeat<Tensor>(null!, InputCount)];
}

/// <summary>What a backward pass could not throw itself. On a card it runs on threads of autograd's own, so there is one place for all.</summary>
internal static class BackwardFailure
{
    private static Exception? _first;

    /// <summary>Keeps the first failure; true, for use as an exception filter.</summary>
    public static bool Keep(Exception failure)
    {
        Interlocked.CompareExchange(ref _first, failure, null);
        return true;
    }

    /// <summary>Throws what was kept; call when a backward pass has returned.</summary>
    public static void ThrowIfAny()
    {
        if (Interlocked.Exchange(ref _first, null) is { } failure) ExceptionDispatchInfo.Throw(failure);
    }
}
