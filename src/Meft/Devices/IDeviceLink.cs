using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>The link between host memory and the device that a model computes on. Everything that crosses is counted by cause.</summary>
public interface IDeviceLink : IDisposable
{
    /// <summary>Whether copies run beside what the device computes, so that it pays to begin them early.</summary>
    bool CopiesAside { get; }

    /// <summary>A tensor of the device → a new contiguous float32 tensor in host memory. Counted in the type it crosses in: its own.</summary>
    Tensor ToHost(Tensor tensor, LinkUse use);

    /// <summary>Begins what <see cref="ToHost"/> does, while the device goes on computing; nothing that is started from now on may write the tensor.</summary>
    IHostTransfer BeginToHost(Tensor tensor, LinkUse use);

    /// <summary>A tensor in host memory → a new one on the device, of a type. Counted in that type: it is converted before it crosses.</summary>
    Tensor ToDevice(Tensor tensor, ScalarType type, LinkUse use);

    /// <summary>
    /// Room on the device for a tensor that will come. A copy into it waits for what was started before this call only, so that it runs beside
    /// what is started after.
    /// </summary>
    IDeviceRoom Reserve(long[] shape, ScalarType type);

    /// <summary>
    /// Begins to overwrite a tensor on the device with one in host memory of the same type and size, both contiguous, while the device goes on computing;
    /// nothing that has been started may read the target any more but what was started before this call.
    /// </summary>
    ITransfer BeginToDevice(Tensor source, Tensor target, LinkUse use);

    /// <summary>A new tensor in host memory from which the link copies fast.</summary>
    Tensor HostBuffer(long elementCount, ScalarType type);
}
