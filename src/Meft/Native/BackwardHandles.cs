using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// The handles of a custom function's backward. TorchSharp makes one for the gradient that comes in and one stays for each that is
/// returned; left alone, they keep every gradient of a whole backward pass alive until the scope around that pass ends.
/// </summary>
internal sealed class BackwardHandles : IDisposable
{
    [ThreadStatic]
    private static List<Tensor?>? _returned;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _incoming;

    /// <param name="incoming">The gradient that came in; freed with this.</param>
    public BackwardHandles(Tensor incoming)
    {
        _incoming = incoming;
        // What the call before this one returned has been taken over by libtorch since.
        FreeReturned();
    }

    /// <summary>The gradients to return, one an input, null where an input has none. Freed when the next backward begins.</summary>
    public List<Tensor> Return(params Tensor?[] gradients)
    {
        foreach (var gradient in gradients)
        {
            if (gradient is not null) _scope.Detach(gradient);
        }
        _returned = [.. gradients];
        return [.. gradients.Select(gradient => gradient!)];
    }

    /// <summary>Frees what the latest backward on this thread returned; call when a whole backward pass has ended.</summary>
    public static void FreeReturned()
    {
        foreach (var gradient in _returned ?? []) gradient?.Dispose();
        _returned = null;
    }

    public void Dispose()
    {
        _scope.Dispose();
        _incoming.Dispose();
    }
}
