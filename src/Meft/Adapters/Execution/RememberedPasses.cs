namespace Meft.Adapters.Execution;

/// <summary>The passes of layers that will be run a second time.</summary>
/// <param name="end">Called when no more are to be remembered.</param>
internal sealed class RememberedPasses(Action end) : IDisposable
{
    private readonly Dictionary<int, AdapterPass> _passes = [];

    /// <summary>Keeps a layer's pass for its second run.</summary>
    public void Keep(int layer, AdapterPass pass) => _passes.Add(layer, pass);

    /// <summary>A layer's pass, once: it belongs to the caller from now on. Null where the layer has not been run.</summary>
    public AdapterPass? Take(int layer)
    {
        if (!_passes.Remove(layer, out var pass)) return null;
        pass.IsRepeated = true;
        return pass;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var pass in _passes.Values) pass.Dispose();
        _passes.Clear();
        end();
    }
}
