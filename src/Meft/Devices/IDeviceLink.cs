using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>The link between host memory and the device that a model computes on. Everything that crosses is counted by cause.</summary>
public interface IDeviceLink
{
    /// <summary>A tensor of the device → a new contiguous float32 tensor in host memory. Counted in the type it crosses in: its own.</summary>
    Tensor ToHost(Tensor tensor, LinkUse use);

    /// <summary>A tensor in host memory → a new one on the device, of a type. Counted in that type.</summary>
    Tensor ToDevice(Tensor tensor, ScalarType type, LinkUse use);
}
