using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// An operation of autograd whose backward is managed code. An exception must not cross libtorch's frames, which would end the process: it is kept, no
/// gradient is returned, and <see cref="BackwardFailure.ThrowIfAny"/> throws it when the whole backward has returned.
/// </summary>
/// <typeparam name="T">The operation itself.</typeparam>
internal abstract class GuardedFunction<T> : autograd.SingleTensorFunction<T> where T : GuardedFunction<T>, new()
{
    /// <summary>How many inputs <c>apply</c> is given: so many gradients there are.</summary>
    protected abstract int InputCount { get; }

    /// <inheritdoc/>
    public sealed override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        try
        {
            using var handles = new BackwardHandles(grad_output);
            return handles.Return(Gradients(ctx, grad_output));
        }
        catch (Exception e) when (BackwardFailure.Keep(e))
        {
            return [.. Enumerable.Repeat<Tensor>(null!, InputCount)];
        }
    }

    /// <summary>The gradient of each input, null where there is none. Runs within a dispose scope.</summary>
    /// <param name="ctx">What the forward saved.</param>
    /// <param name="dy">The gradient of the result.</param>
    protected abstract Tensor?[] Gradients(autograd.AutogradContext ctx, Tensor dy);
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
