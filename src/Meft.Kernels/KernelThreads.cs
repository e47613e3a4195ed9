namespace Meft.Kernels;

/// <summary>
/// How many threads the kernels use. Work is split over rows or tokens, each summed by one thread in a fixed order,
/// so the count never changes a bit of a result.
/// </summary>
public static class KernelThreads
{
    private static ParallelOptions _options = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    /// <summary>The number of threads, at least 1; all processors at the start.</summary>
    public static int Count
    {
        get => _options.MaxDegreeOfParallelism;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _options = new ParallelOptions { MaxDegreeOfParallelism = value };
        }
    }

    /// <summary>Calls <paramref name="body"/> with the ranges [from, to) that together make [0, count).</summary>
    /// <param name="count">How many items there are.</param>
    /// <param name="grain">The most items a range holds: large enough to pay for handing it out, small enough to balance.</param>
    /// <param name="body">The work on a range.</param>
    public static void For(int count, int grain, Action<int, int> body)
    {
        if (count <= 0) return;
        var ranges = (count + grain - 1) / grain;
        if (Count == 1 || ranges == 1)
        {
            body(0, count);
            return;
        }
        Parallel.For(0, ranges, _options, range => body(range * grain, Math.Min(count, (range + 1) * grain)));
    }
}
