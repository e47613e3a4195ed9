using System.Numerics;

namespace Meft.Core.Data;

/// <summary>Bins of one capacity, as many as there are things to put in; each thing goes into the first bin with room for it.</summary>
internal sealed class FirstFit
{
    // A binary tree: the leaves are the bins' free space, each other node the larger of its children.
    private readonly int[] _mostFree;
    private readonly int _leaves;

    /// <param name="bins">At least as many as things that will be put in.</param>
    /// <param name="capacity">What a bin holds.</param>
    public FirstFit(int bins, int capacity)
    {
        _leaves = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(1, bins));
        _mostFree = new int[2 * _leaves];
        Array.Fill(_mostFree, capacity);
    }

    /// <summary>Puts a thing of a size, at most the capacity, into the first bin with room; returns the bin.</summary>
    public int Put(int size)
    {
        var node = 1;
        while (node < _leaves)
        {
            node *= 2;
            if (_mostFree[node] < size) node++;
        }
        _mostFree[node] -= size;
        for (var above = node / 2; above > 0; above /= 2) _mostFree[above] = Math.Max(_mostFree[2 * above], _mostFree[2 * above + 1]);
        return node - _leaves;
    }
}
