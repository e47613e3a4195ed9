using Meft.Core.Machine;
using Meft.Kernels;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// How many threads compute. libtorch and the kernels never work at the same time, but each keeps threads of its own: more than there are
/// physical cores, in either, only take turns.
/// </summary>
public static class ComputeThreads
{
    /// <summary>Physical cores that this process may use.</summary>
    public static int Default
    {
        get
        {
            var processor = ProcessorInfo.Read();
            return Math.Max(1, Math.Min(processor.PhysicalCores ?? processor.LogicalCores, processor.LogicalCores));
        }
    }

    private static readonly AsyncLocal<int?> ChosenHere = new();

    /// <summary>The count that this flow of calls asked for; null where none was. Another flow beside it has its own.</summary>
    internal static int? Chosen
    {
        get => ChosenHere.Value;
        set => ChosenHere.Value = value;
    }

    /// <summary>The count that <see cref="Use"/> sets when it is given none.</summary>
    public static int InUse => Chosen ?? Default;

    /// <summary>Sets the count of both.</summary>
    /// <param name="count">At least 1, and remembered; null for <see cref="InUse"/>: the one asked for before, else <see cref="Default"/>.</param>
    /// <returns>The count that was set.</returns>
    public static int Use(int? count = null)
    {
        NativeTorch.Load();
        if (count is not null) Chosen = count;
        var threads = InUse;
        KernelThreads.Count = threads;
        // A thread's first parallel operation takes over what any thread has set last, once; asking first has that over with, so that what is set
        // here stays although another thread sets another count.
        _ = get_num_threads();
        set_num_threads(threads);
        return threads;
    }
}
