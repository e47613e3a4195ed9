using Meft.Core.Adapters;
using Meft.Core.Metrics;
using Meft.Host;

namespace Meft.Adapters;

/// <summary>
/// How training uses a sparse adapter: tokens by expert, active rows, neurons that never were. It counts between <see cref="Begin"/> and
/// <see cref="End"/> only, so that evaluations leave no trace, and only steps that were taken. Counting reads what the selection has made and changes
/// nothing of it.
/// </summary>
public sealed class AdapterUsage
{
    private readonly SortedDictionary<int, LayerUsage> _layers = [];
    private bool _counting;
    private long _stepTokens, _tokens;

    internal AdapterUsage(SparseAdapterSpec spec, IEnumerable<KeyValuePair<int, HostParameterStore>> stores)
    {
        foreach (var (layer, store) in stores) _layers.Add(layer, new LayerUsage(layer, spec, store));
    }

    /// <summary>Counts since the last call, whose window they are; the next window begins.</summary>
    /// <param name="fromStep">The window's first step.</param>
    /// <param name="step">Its last one.</param>
    public ExpertLoad Take(int fromStep, int step)
    {
        var load = new ExpertLoad(step, fromStep, _tokens, [.. _layers.Values.Select(l => l.Take())]);
        _tokens = 0;
        return load;
    }

    /// <summary>By layer the rows that have been active since the run began; a checkpoint keeps it, for moments do not tell all of them.</summary>
    internal IReadOnlyDictionary<int, string> Ever() => _layers.ToDictionary(l => l.Key, l => l.Value.Ever());

    /// <summary>Takes up what <see cref="Ever"/> gave; null where a checkpoint does not say.</summary>
    internal void Restore(IReadOnlyDictionary<int, string>? ever)
    {
        foreach (var (layer, usage) in _layers) usage.Restore(ever?.GetValueOrDefault(layer));
    }

    /// <summary>A micro-batch of a step begins.</summary>
    internal void Begin() => _counting = true;

    /// <summary>A layer has selected its active neurons.</summary>
    internal void Count(int layer, ActiveSet active)
    {
        if (!_counting) return;
        if (layer == _layers.Keys.First()) _stepTokens += active.TokenCount;
        _layers[layer].Count(active);
    }

    /// <summary>The step is taken: called while its touched rows are still known.</summary>
    internal void Keep()
    {
        foreach (var layer in _layers.Values) layer.Keep();
        (_tokens, _stepTokens) = (_tokens + _stepTokens, 0);
    }

    /// <summary>The step is over, whether taken or not.</summary>
    internal void End()
    {
        foreach (var layer in _layers.Values) layer.Drop();
        (_counting, _stepTokens) = (false, 0);
    }
}
