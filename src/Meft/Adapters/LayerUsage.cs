using System.Collections;
using System.IO.Compression;
using Meft.Core.Adapters;
using Meft.Core.Metrics;
using Meft.Host;

namespace Meft.Adapters;

/// <summary>How one layer of a sparse adapter is used: counts of the step under way, and of the window of steps it ends in.</summary>
internal sealed class LayerUsage(int layer, SparseAdapterSpec spec, HostParameterStore store)
{
    private readonly long[] _stepTokens = new long[spec.Experts], _tokens = new long[spec.Experts];
    private readonly BitArray _used = new(spec.Rank);
    private readonly BitArray _ever = new(spec.Rank);
    private long _stepUnion, _union;
    private int _stepPasses, _passes, _usedCount, _everCount;

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
            MarkEver(row);
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
            layer, spec.Rank, [.. _tokens], _passes == 0 ? double.NaN : (double)_union / _passes / spec.Rank, _usedCount, spec.Rank - _everCount);
        Array.Clear(_tokens);
        _used.SetAll(false);
        (_union, _passes, _usedCount) = (0, 0, 0);
        return load;
    }

    /// <summary>The rows that have been active since the run began, one bit a row from the least significant one on, deflated, in base64.</summary>
    public string Ever()
    {
        var bits = new byte[(spec.Rank + 7) / 8];
        _ever.CopyTo(bits, 0);
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal)) deflate.Write(bits);
        return Convert.ToBase64String(packed.ToArray());
    }

    /// <summary>Takes up what <see cref="Ever"/> gave.</summary>
    /// <param name="ever">Null where it was not kept: then the rows count that have a second moment, which are nearly all of them.</param>
    public void Restore(string? ever)
    {
        _ever.SetAll(false);
        _everCount = 0;
        if (ever is null)
        {
            for (var row = 0; row < spec.Rank; row++)
            {
                if (store.Values.SecondMoments.Row(row).ContainsAnyExcept(0f)) MarkEver(row);
            }
            return;
        }
        var bits = new byte[(spec.Rank + 7) / 8];
        using var deflate = new DeflateStream(new MemoryStream(Convert.FromBase64String(ever)), CompressionMode.Decompress);
        deflate.ReadExactly(bits);
        for (var row = 0; row < spec.Rank; row++)
        {
            if ((bits[row / 8] >> (row % 8) & 1) != 0) MarkEver(row);
        }
    }

    private void MarkEver(int row)
    {
        if (_ever[row]) return;
        _ever[row] = true;
        _everCount++;
    }
}
