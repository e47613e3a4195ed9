using System.Runtime.CompilerServices;

namespace Meft.Kernels;

/// <summary>Exact selection of the largest numbers, ties to the lower index.</summary>
public static class LargestK
{
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
            if (key > threshold || (key == threshold && equalsLeft-- > 0)) selected[written++] = i;
        }
        return written;
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
