using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// Host memory for weights that are decoded for the moment. It is kept and used again by every product: fresh pages would cost more than the decoding, and a
/// panel that is always the same stays in the caches.
/// </summary>
internal sealed class PanelPool : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<Tensor> _free = [];

    /// <summary>A flat tensor of at least so many numbers; to be given back.</summary>
    public Tensor Rent(long count, ScalarType type)
    {
        lock (_lock)
        {
            var index = _free.FindIndex(t => t.dtype == type && t.numel() >= count);
            if (index >= 0)
            {
                var found = _free[index];
                _free.RemoveAt(index);
                return found;
            }
            // One that is too small goes: at last the largest one is left for each thread.
            index = _free.FindIndex(t => t.dtype == type);
            if (index >= 0)
            {
                _free[index].Dispose();
                _free.RemoveAt(index);
            }
        }
        return empty(count, type).DetachFromDisposeScope();
    }

    /// <summary>Takes a tensor back.</summary>
    public void Return(Tensor tensor)
    {
        lock (_lock) _free.Add(tensor);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var tensor in _free) tensor.Dispose();
            _free.Clear();
        }
    }
}
