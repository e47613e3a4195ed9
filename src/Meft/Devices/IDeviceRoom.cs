using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>Room for one tensor on the device, of a shape and a type. Disposing it unfilled gives it back.</summary>
public interface IDeviceRoom : IDisposable
{
    /// <summary>
    /// A tensor in host memory of the room's shape → the room as a tensor that the device may use in what it computes next; once.
    /// Counted in the room's type.
    /// </summary>
    Tensor Fill(Tensor source, LinkUse use);
}
