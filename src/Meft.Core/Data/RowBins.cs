namespace Meft.Core.Data;

/// <summary>
/// Packs whole rows into bins of at most so many tokens by first-fit decreasing (Johnson 1973): the longest row first, each into the first bin with
/// room. Rows that are shuffled are packed over a whole epoch, up to <see cref="ShuffledWindow"/> rows at a time, and the bins come in a seeded order;
/// rows that keep their order are packed among near neighbours, and a bin stands where its first row stood. A pure function of order and seed.
/// </summary>
internal static class RowBins
{
    /// <summary>Rows that are packed together where their order is shuffled anyway.</summary>
    public const int ShuffledWindow = 1 << 20;

    /// <summary>Rows that are packed together where they keep their order: few, so that none moves far.</summary>
    public const int OrderedWindow = 1024;

    /// <summary>Packs an epoch's rows.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="order">The rows in the epoch's order.</param>
    /// <param name="rows">Tells their lengths.</param>
    /// <param name="capacity">The most tokens of a bin; a longer row has a bin of its own.</param>
    /// <param name="seed">Seed of the bins' order; null to leave it.</param>
    /// <param name="window">Rows that are packed together.</param>
    public static EpochOrder Of(int epoch, int[] order, ITokenRows rows, int capacity, long? seed, int window)
    {
        var packed = new int[order.Length];
        var ends = new List<int>();
        for (var first = 0; first < order.Length; first += window)
        {
            var count = Math.Min(window, order.Length - first);
            Pack(order.AsSpan(first, count), rows, capacity, packed.AsSpan(first, count), first, ends);
        }
        var ordered = new EpochOrder(epoch, packed, [.. ends]);
        return seed is { } by ? Shuffle(ordered, by) : ordered;
    }

    private static void Pack(ReadOnlySpan<int> part, ITokenRows rows, int capacity, Span<int> packed, int offset, List<int> ends)
    {
        int Size(int row) => Math.Min(rows.LengthOf(row), capacity);

        // The longest first; of one length, that which comes first.
        var keys = new long[part.Length];
        for (var i = 0; i < part.Length; i++) keys[i] = ((long)(capacity - Size(part[i])) << 32) | (uint)i;
        Array.Sort(keys);
        var bins = new FirstFit(part.Length, capacity);
        var binOf = new int[part.Length];
        foreach (var key in keys) binOf[(int)(uint)key] = bins.Put(capacity - (int)(key >> 32));

        // Bins are numbered by their first rows, and hold their rows in the order these came in.
        var numbers = new int[part.Length];
        var sizes = new List<int>();
        for (var i = 0; i < part.Length; i++)
        {
            ref var number = ref numbers[binOf[i]];
            if (number == 0)
            {
                sizes.Add(0);
                number = sizes.Count;
            }
            binOf[i] = number - 1;
            sizes[number - 1]++;
        }
        var next = new int[sizes.Count];
        for (int bin = 0, sum = 0; bin < sizes.Count; bin++)
        {
            next[bin] = sum;
            sum += sizes[bin];
            ends.Add(offset + sum);
        }
        for (var i = 0; i < part.Length; i++) packed[next[binOf[i]]++] = part[i];
    }

    private static EpochOrder Shuffle(EpochOrder order, long seed)
    {
        var rows = new int[order.Rows.Length];
        var ends = new int[order.BinCount];
        var filled = 0;
        foreach (var (place, bin) in SeededPermutation.Of(order.BinCount, ~seed, order.Epoch).Index())
        {
            var (start, end) = (order.StartOf(bin), order.StartOf(bin + 1));
            Array.Copy(order.Rows, start, rows, filled, end - start);
            ends[place] = filled += end - start;
        }
        return new EpochOrder(order.Epoch, rows, ends);
    }
}
