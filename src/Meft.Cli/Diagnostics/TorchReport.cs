using Meft.Core.Errors;
using Meft.Devices;
using Meft.Native;
using TorchSharp;

namespace Meft.Cli.Diagnostics;

/// <summary>What of torch could be loaded.</summary>
/// <param name="Native">The native libraries; null where loading failed.</param>
/// <param name="Problem">Why loading failed; null where it did not.</param>
/// <param name="Version">libtorch's version.</param>
/// <param name="Threads">Threads of an operation.</param>
/// <param name="Devices">Devices that can compute.</param>
/// <param name="Cards">Those of them that have memory of their own.</param>
internal sealed record TorchReport(
    NativeTorchInfo? Native, string? Problem, string? Version, int Threads, IReadOnlyList<string> Devices, IReadOnlyList<CardReport> Cards)
{
    /// <summary>Loads torch and asks it.</summary>
    public static TorchReport Read()
    {
        try
        {
            var native = NativeTorch.Load();
            var cards = Accelerators.Names().Select((product, index) => CardReport.Read($"cuda:{index}", product)).ToList();
            return new TorchReport(native, null, native.LibtorchVersion, torch.get_num_threads(), ["cpu", .. cards.Select(card => card.Name)], cards);
        }
        catch (MeftException e)
        {
            return new TorchReport(null, e.Message, null, 0, [], []);
        }
    }
}
