using System.Numerics;
using System.Runtime.CompilerServices;

namespace Meft.Kernels;

/// <summary>Exact selection of the largest numbers, ties to the lower index.</summary>
public static class LargestK
{
    /// <summary>Up to so many are found in one pass that keeps the largest seen so far.</summary>
    private const int Few = 16;

    /// <summary>
    /// Writes the indices of the <paramref name="k"/> largest values in ascending order of index. Equal values: the lower index
    /// wins; −0 equals +0; NaN counts as larger than everything. Fewer than k values: all of them.
    /// </summary>
    /// <param name="values">The numbers.</param>
    /// <param name="k">How many to select, not negative.</param>
    /// <param name="scratch">At least as long as <paramref name="values"/>; its content is lost.</param>
    /// <param name="selected">At least min(k, values.Length) long.</param>
    /// <returns>How many indices were written.</returns>
    public static int Select(ReadOnlySpan<float> values, int k, Span<uint> scratch, Span<int> selected)
    {
        if (k >= values.Length)
        {
            for (var i = 0; i < values.Length; i++) selected[i] = i;
            return values.Length;
        }
        if (k <= 0) return 0;
        if (k <= Few && values.Length >= 4 * k) return SelectFew(values, k, selected);

        var keys = scratch[..values.Length];
        for (var i = 0; i < values.Length; i++) keys[i] = OrderedKey(values[i]);
        var threshold = KthLargest(keys, k);

        // Everything above the threshold is in; of those equal to it, the first ones fill what is left.
        var equalsLeft = k;
        foreach (var value in values)
        {
            if (OrderedKey(value) > threshold) equalsLeft--;
        }
        var written = 0;
        for (var i = 0; written < k; i++)
        {
            var key = OrderedKey(values[i]);
            // Written in any case and kept or not: whether a value is among the largest is a coin toss that a branch would lose.
            selected[written] = i;
            var isEqual = key == threshold && equalsLeft > 0;
            equalsLeft -= isEqual ? 1 : 0;
            written += key > threshold || isEqual ? 1 : 0;
        }
        return written;
    }

    /// <summary>
    /// Goes through the values once with the k largest so far in descending order. Most values are no larger than the last of these and
    /// are passed over a register at a time.
    /// </summary>
    private static int SelectFew(ReadOnlySpan<float> values, int k, Span<int> selected)
    {
        Span<uint> keys = stackalloc uint[Few];
        for (var i = 0; i < k; i++) Insert(keys, selected, i, OrderedKey(values[i]), i);
        for (var i = k; i < values.Length; i++)
        {
            var smallest = values[selected[k - 1]];
            // NaN compares as false with everything, so it is never passed over here.
            while (i <= values.Length - Vector<float>.Count && Vector.LessThanOrEqualAll(new Vector<float>(values[i..]), new Vector<float>(smallest)))
                i += Vector<float>.Count;
            if (i == values.Length) break;
            var key = OrderedKey(values[i]);
            // An equal one that came before stays: ties go to the lower index.
            if (key > keys[k - 1]) Insert(keys, selected, k - 1, key, i);
        }
        selected[..k].Sort();
        return k;
    }

    /// <summary>Puts an index where it belongs in a descending list, of which the place <paramref name="last"/> is free.</summary>
    private static void Insert(Span<uint> keys, Span<int> selected, int last, uint key, int index)
    {
        var at = last;
        for (; at > 0 && keys[at - 1] < key; at--) (keys[at], selected[at]) = (keys[at - 1], selected[at - 1]);
        (keys[at], selected[at]) = (key, index);
    }

    /// <summary>An unsigned number that orders as the float does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint OrderedKey(float value)
    {
        if (float.IsNaN(value)) return uint.MaxValue;
        var bits = BitConverter.SingleToUInt32Bits(value + 0f); // −0 + 0 is +0
        return (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
    }

    /// <summary>Hoare's quickselect with the median of three as pivot; reorders <paramref name="keys"/>.</summary>
    private static uint KthLargest(Span<uint> keys, int k)
    {
        int low = 0, high = keys.Length - 1, target = k - 1; // descending order
        while (low < high)
        {
            var pivot = MedianOfThree(keys[low], keys[(low + high) >>> 1], keys[high]);
            int i = low, j = high;
            while (i <= j)
            {
                while (keys[i] > pivot) i++;
                while (keys[j] < pivot) j--;
                if (i > j) break;
                (keys[i], keys[j]) = (keys[j], keys[i]);
                i++;
                j--;
            }
            if (target <= j) high = j;
            else if (target >= i) low = i;
            else return pivot;
        }
        return keys[target];
    }

    private static uint MedianOfThree(uint a, uint b, uint c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
