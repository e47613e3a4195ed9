using System.Numerics;

namespace Meft.Host;

/// <summary>Which rows have changed since a mark: those that a checkpoint must hold beside the full one that the mark stands for.</summary>
/// <param name="rows">R.</param>
public sealed class ChangedRows(int rows)
{
    private const int WordBits = 64;
    private readonly ulong[] _words = new ulong[(rows + WordBits - 1) / WordBits];

    /// <summary>What the changes count from, as the one who set it knows it; null where they count from the beginning.</summary>
    public object? Mark { get; private set; }

    /// <summary>How many rows have changed.</summary>
    public int Count { get; private set; }

    /// <summary>Rows that change now.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    public void Add(ReadOnlySpan<int> changed)
    {
        foreach (var row in changed)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)rows, nameof(changed));
            ref var word = ref _words[row / WordBits];
            var bit = 1UL << (row % WordBits);
            if ((word & bit) != 0) continue;
            word |= bit;
            Count++;
        }
    }

    /// <summary>Every row changes now.</summary>
    public void AddAll()
    {
        if (Count == rows) return;
        Array.Fill(_words, ulong.MaxValue);
        if (rows % WordBits is var rest and > 0) _words[^1] = (1UL << rest) - 1;
        Count = rows;
    }

    /// <summary>Forgets all changes; from now on they count from a new mark.</summary>
    public void Restart(object? mark)
    {
        Array.Clear(_words);
        (Mark, Count) = (mark, 0);
    }

    /// <summary>The changed rows, ascending.</summary>
    public int[] ToArray()
    {
        var changed = new int[Count];
        var next = 0;
        for (var w = 0; w < _words.Length; w++)
        {
            for (var word = _words[w]; word != 0; word &= word - 1) changed[next++] = w * WordBits + BitOperations.TrailingZeroCount(word);
        }
        return changed;
    }
}
