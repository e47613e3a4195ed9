using Meft.Core.Errors;
using Meft.Devices;
using TorchSharp;

namespace Meft.Cli.Diagnostics;

/// <summary>A device with memory of its own.</summary>
/// <param name="Name">Its name in a config.</param>
/// <param name="Product">What the card calls itself; its name in a config where the driver does not say.</param>
/// <param name="FreeBytes">Bytes that nobody holds now; null where the runtime does not say.</param>
/// <param name="TotalBytes">All bytes; null where the runtime does not say.</param>
/// <param name="Problem">Why it does not say, and why training on it would stop; null where it does.</param>
internal sealed record CardReport(string Name, string Product, long? FreeBytes, long? TotalBytes, string? Problem)
{
    /// <summary>Asks a device.</summary>
    public static CardReport Read(string name, string product)
    {
        try
        {
            var memory = DeviceMemory.Of(torch.device(name));
            return new CardReport(name, product, memory?.FreeBytes, memory?.TotalBytes, null);
        }
        catch (RunFailedException e)
        {
            return new CardReport(name, product, null, null, e.Message);
        }
    }
}
