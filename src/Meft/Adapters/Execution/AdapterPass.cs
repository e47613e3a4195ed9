using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>One layer's use in one micro-batch: what was selected, and the input it was selected by.</summary>
/// <param name="layer">The layer.</param>
/// <param name="hostInput">x [T, D], contiguous float32 in host memory; owned by this object.</param>
internal sealed unsafe class AdapterPass(SparseLayer layer, Tensor hostInput) : IDisposable
{
    private readonly Tensor _hostInput = hostInput.DetachFromDisposeScope();

    /// <summary>The layer.</summary>
    public SparseLayer Layer => layer;

    /// <summary>T.</summary>
    public int TokenCount { get; } = (int)hostInput.shape[0];

    /// <summary>The active neurons of every token.</summary>
    public ActiveSet Active { get; } = layer.Select(TensorMemory.Singles(hostInput), (int)hostInput.shape[0]);

    /// <summary>x [T, D] in host memory; valid while this object is.</summary>
    public float* Input => TensorMemory.Singles(_hostInput);

    /// <summary>Whether this is the layer's second forward run: its backward follows at once.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>V's active rows that a repeated forward left on the device for the backward; null where they must be fetched.</summary>
    public KeptRows? Kept { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kept?.Dispose();
        Active.Dispose();
        _hostInput.Dispose();
    }
}
