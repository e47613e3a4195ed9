using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>Rows that stay on the device between a layer's repeated forward and its backward.</summary>
/// <param name="rows">[U, D] on the device; owned by this object.</param>
/// <param name="held">Their bytes; null where nothing is counted.</param>
internal sealed class KeptRows(Tensor rows, HeldBytes? held) : IDisposable
{
    /// <summary>[U, D].</summary>
    public Tensor Rows { get; } = rows.DetachFromDisposeScope();

    /// <summary>From now on somebody else counts the bytes.</summary>
    public void StopCounting() => held?.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        Rows.Dispose();
        held?.Dispose();
    }
}
