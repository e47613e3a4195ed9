using System.Reflection;
using System.Runtime.InteropServices;
using Meft.Core.Machine;
using Meft.Devices;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Benchmarking;

/// <summary>What a measurement was taken on: no figure means anything without it.</summary>
/// <param name="Processor">Its name.</param>
/// <param name="Cores">Cores that this process may use.</param>
/// <param name="KernelThreads">Threads of the kernels.</param>
/// <param name="TorchThreads">Threads of libtorch's operations.</param>
/// <param name="VectorBits">The widest vectors of the kernels.</param>
/// <param name="MemoryBytes">Memory that this process may use; null where the system does not say.</param>
/// <param name="System">The operating system.</param>
/// <param name="Framework">.NET's version.</param>
/// <param name="Libtorch">libtorch's version.</param>
/// <param name="Meft">This library's version.</param>
public sealed record BenchmarkMachine(
    string Processor, int Cores, int KernelThreads, int TorchThreads, int VectorBits, long? MemoryBytes, string System, string Framework,
    string Libtorch, string Meft)
{
    /// <summary>The names of the CUDA cards; empty on a machine without.</summary>
    public IReadOnlyList<string> Cards { get; init; } = [];

    /// <summary>Reads this machine, after the thread counts have been set.</summary>
    public static BenchmarkMachine Read()
    {
        var native = NativeTorch.Load();
        var processor = ProcessorInfo.Read();
        return new BenchmarkMachine(
            processor.Name, processor.LogicalCores, Kernels.KernelThreads.Count, get_num_threads(), processor.VectorBits,
            MemoryLimits.Read().UsableBytes, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, native.LibtorchVersion,
            typeof(BenchmarkMachine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion)
        { Cards = Accelerators.Names() };
    }
}
