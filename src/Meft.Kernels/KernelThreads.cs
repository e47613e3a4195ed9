namespace Meft.Kernels;

/// <summary>
/// How many threads the kernels use. Work is split over rows or tokens, each summed by one thread in a fixed order,
/// so the count never changes a bit of a result.
/// </summary>
public static class KernelThreads
{
    private static int _count = Environment.ProcessorCount;

    /// <summary>The number of threads, at least 1; all processors at the start.</summary>
    public static int Count
    {
        get => Volatile.Read(ref _count);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            Volatile.Write(ref _count, value);
        }
    }

    /// <summary>Calls <paramref name="body"/> with the ranges [from, to) that together make [0, count).</summary>
    /// <param name="count">How many items there are.</param>
    /// <param name="grain">The most items a range holds: large enough to pay for handing it out, small enough to balance.</param>
    /// <param name="body">The work on a range.</param>
    public static void For(int count, int grain, Action<int, int> body)
    {
        var work = new Delegated(body);
        For(count, grain, ref work);
    }

    /// <summary>Runs <paramref name="work"/> on the ranges [from, to) that together make [0, count), without allocating anything.</summary>
    /// <param name="count">How many items there are.</param>
    /// <param name="grain">The most items a range holds: large enough to pay for handing it out, small enough to balance.</param>
    /// <param name="work">The work; several threads run it at once.</param>
    public static void For<TWork>(int count, int grain, ref TWork work) where TWork : struct, IRangeWork
    {
        if (count <= 0) return;
        if (Count == 1 || count <= grain) work.Run(0, count);
        else WorkTeam.Run(count, grain, ref work);
    }

    private readonly struct Delegated(Action<int, int> body) : IRangeWork
    {
        public void Run(int from, int to) => body(from, to);
    }
}
