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

    /// <summary>Sets the count of both.</summary>
    /// <param name="count">At least 1; null for <see cref="Default"/>.</param>
    /// <returns>The count that was set.</returns>
    public static int Use(int? count = null)
    {
        NativeTorch.Load();
        var threads = count ?? Default;
        KernelThreads.Count = threads;
        set_num_threads(threads);
        return threads;
    }
}
