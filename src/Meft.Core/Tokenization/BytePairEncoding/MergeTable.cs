using System.Numerics;

namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>What two neighbouring tokens merge into, and how early: the lower the rank, the earlier.</summary>
internal readonly record struct Merge(int Rank, int Token);

/// <summary>
/// The merges of a vocabulary by their two tokens: a hash table with open addressing, looked up once a neighbouring pair.
/// </summary>
internal sealed class MergeTable
{
    private const long Free = -1;

    private readonly long[] _keys;
    private readonly Merge[] _merges;
    private readonly int _shift;

    /// <param name="capacity">At least as many as pairs will be set.</param>
    public MergeTable(int capacity)
    {
        var size = BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 1) * 2);
        _keys = new long[size];
        _merges = new Merge[size];
        _shift = 64 - BitOperations.Log2(size);
        Array.Fill(_keys, Free);
    }

    /// <summary>Sets what a pair merges into; a pair set before is replaced.</summary>
    public void Set(int left, int right, Merge merge)
    {
        var slot = SlotOf(left, right);
        _keys[slot] = KeyOf(left, right);
        _merges[slot] = merge;
    }

    public bool TryGet(int left, int right, out Merge merge)
    {
        var slot = SlotOf(left, right);
        merge = _merges[slot];
        return _keys[slot] != Free;
    }

    private static long KeyOf(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>The slot of a pair, or the free one where it belongs. Half of the slots are free, so one is found.</summary>
    private int SlotOf(int left, int right)
    {
        var key = KeyOf(left, right);
        var slot = (int)(((ulong)key * 0x9E3779B97F4A7C15) >> _shift);
        while (_keys[slot] != key && _keys[slot] != Free) slot = (slot + 1) & (_keys.Length - 1);
        return slot;
    }
}
