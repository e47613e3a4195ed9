using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

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
        WriteKeys(values, keys);
        var threshold = KthLargest(keys, k, out var above);
        return SelectFrom(keys, threshold, k - above, selected[..k]);
    }

    /// <summary>Everything above the threshold is in; of those equal to it, the first <paramref name="equals"/>.</summary>
    private static int SelectFrom(ReadOnlySpan<uint> keys, uint threshold, int equals, Span<int> selected)
    {
        var written = 0;
        var i = 0;
        var limit = Vector256.Create(threshold);
        for (; i <= keys.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            var bits = Vector256.GreaterThanOrEqual(Vector256.Create(keys[i..]), limit).ExtractMostSignificantBits();
            for (; bits != 0; bits &= bits - 1) Take(keys, i + BitOperations.TrailingZeroCount(bits), selected);
        }
        for (; i < keys.Length; i++)
        {
            if (keys[i] >= threshold) Take(keys, i, selected);
        }
        return written;

        void Take(ReadOnlySpan<uint> keys, int index, Span<int> selected)
        {
            if (keys[index] == threshold && equals-- <= 0) return;
            selected[written++] = index;
        }
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

    /// <summary>The ordered keys of all values.</summary>
    private static void WriteKeys(ReadOnlySpan<float> values, Span<uint> keys)
    {
        var i = 0;
        for (; i <= values.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var value = Vector256.Create(values[i..]);
            var bits = (value + Vector256<float>.Zero).AsInt32(); // −0 + 0 is +0
            // The sign spread over the word: all bits of a negative number turn, of another the sign alone.
            var ordered = (bits ^ ((bits >> 31) | Vector256.Create(int.MinValue))).AsUInt32();
            Vector256.ConditionalSelect(Vector256.Equals(value, value).AsUInt32(), ordered, Vector256<uint>.AllBitsSet).CopyTo(keys[i..]);
        }
        for (; i < values.Length; i++) keys[i] = OrderedKey(values[i]);
    }

    /// <summary>
    /// A limit that parts the k largest keys from the rest: either exactly k are larger, or it is the k-th largest itself. Found by halving
    /// the interval that it lies in and counting: a few passes over registers, and no branch that depends on the keys' order.
    /// </summary>
    /// <param name="keys">More than <paramref name="k"/> of them.</param>
    /// <param name="k">At least 1.</param>
    /// <param name="above">How many keys are larger than the limit.</param>
    private static uint KthLargest(ReadOnlySpan<uint> keys, int k, out int above)
    {
        // Invariant: at least k keys are ≥ low, fewer than k are > high.
        var (low, high) = Extremes(keys);
        above = 0;
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            var larger = CountAbove(keys, middle);
            if (larger == k)
            {
                above = k;
                return middle;
            }
            if (larger > k)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
                above = larger;
            }
        }
        return low;
    }

    /// <summary>The least and the largest key.</summary>
    private static (uint Least, uint Largest) Extremes(ReadOnlySpan<uint> keys)
    {
        var (least, largest) = (uint.MaxValue, uint.MinValue);
        var i = 0;
        if (keys.Length >= Vector256<uint>.Count)
        {
            Vector256<uint> leasts = Vector256.Create(keys), largests = leasts;
            for (; i <= keys.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
            {
                var some = Vector256.Create(keys[i..]);
                leasts = Vector256.Min(leasts, some);
                largests = Vector256.Max(largests, some);
            }
            for (var lane = 0; lane < Vector256<uint>.Count; lane++)
            {
                least = Math.Min(least, leasts[lane]);
                largest = Math.Max(largest, largests[lane]);
            }
        }
        for (; i < keys.Length; i++)
        {
            least = Math.Min(least, keys[i]);
            largest = Math.Max(largest, keys[i]);
        }
        return (least, largest);
    }

    /// <summary>How many keys are larger than a limit.</summary>
    private static int CountAbove(ReadOnlySpan<uint> keys, uint limit)
    {
        var limits = Vector256.Create(limit);
        var counts = Vector256<int>.Zero;
        var i = 0;
        // A comparison that holds is −1.
        for (; i <= keys.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
            counts -= Vector256.GreaterThan(Vector256.Create(keys[i..]), limits).AsInt32();
        var count = Vector256.Sum(counts);
        for (; i < keys.Length; i++) count += keys[i] > limit ? 1 : 0;
        return count;
    }
}
