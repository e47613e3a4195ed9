using System.Collections;
using Meft.Core.Adapters;
using Meft.Core.Metrics;
using Meft.Host;

namespace Meft.Adapters;

/// <summary>How one layer of a sparse adapter is used: counts of the step under way, and of the window of steps it ends in.</summary>
internal sealed class LayerUsage(int layer, SparseAdapterSpec spec, HostParameterStore store)
{
    private readonly long[] _stepTokens = new long[spec.Experts], _tokens = new long[spec.Experts];
    private readonly BitArray _used = new(spec.Rank);
    private readonly BitArray _alive = new(spec.Rank);
    private long _stepUnion, _union;
    private int _stepPasses, _passes, _usedCount;

    /// <summary>A micro-batch's selection was made.</summary>
    public void Count(ActiveSet active)
    {
        foreach (var expert in active.Routing?.Experts ?? []) _stepTokens[expert]++;
        _stepUnion += active.UnionCount;
        _stepPasses++;
    }

    /// <summary>The step was taken: its counts belong to the window, with the rows that it touched.</summary>
    public void Keep()
    {
        for (var e = 0; e < _tokens.Length; e++) _tokens[e] += _stepTokens[e];
        (_union, _passes) = (_union + _stepUnion, _passes + _stepPasses);
        foreach (var row in store.RowGradients.TouchedRows)
        {
            if (_used[row]) continue;
            _used[row] = true;
            _usedCount++;
        }
        Drop();
    }

    /// <summary>Forgets the step under way.</summary>
    public void Drop()
    {
        Array.Clear(_stepTokens);
        (_stepUnion, _stepPasses) = (0, 0);
    }

    /// <summary>The window's counts; the next one begins.</summary>
    public LayerLoad Take()
    {
        var load = new LayerLoad(
            layer, spec.Rank, [.. _tokens], _passes == 0 ? double.NaN : (double)_union / _passes / spec.Rank, _usedCount, DeadRows());
        Array.Clear(_tokens);
        _used.SetAll(false);
        (_union, _passes, _usedCount) = (0, 0, 0);
        return load;
    }

    /// <summary>
    /// A row that was ever active has moments, which checkpoints keep: so a resumed run knows without counts of its own. Rows found alive are not looked
    /// at again.
    /// </summary>
    private int DeadRows()
    {
        var dead = 0;
        for (var row = 0; row < spec.Rank; row++)
        {
            if (_alive[row]) continue;
            if (store.Values.SecondMoments.Row(row).ContainsAnyExcept(0f)) _alive[row] = true;
            else dead++;
        }
        return dead;
    }
}
