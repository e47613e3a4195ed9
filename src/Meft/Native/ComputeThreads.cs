using Meft.Core.Machine;
using Meft.Kernels;

namespace Meft.Native;

/// <summary>The threads of libtorch and of the product's own kernels.</summary>
public static class ComputeThreads
{
    /// <summary>
    /// Gives both the machine's physical cores, as far as this process may use them: two threads of one core would share its arithmetic units,
    /// and more threads than cores would wait for each other.
    /// </summary>
    /// <returns>The number of threads.</returns>
    public static int UsePhysicalCores()
    {
        NativeTorch.Load();
        var processor = ProcessorInfo.Read();
        var threads = Math.Min(processor.LogicalCores, processor.PhysicalCores ?? processor.LogicalCores);
        TorchSharp.torch.set_num_threads(threads);
        KernelThreads.Count = threads;
        return threads;
    }
}
