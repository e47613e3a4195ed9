using static TorchSharp.torch;

namespace Meft.Devices;

/// <summary>A tensor on its way from the device to host memory. Disposing it before its end gives the tensor up.</summary>
public interface IHostTransfer : IDisposable
{
    /// <summary>Waits for the numbers, once: a new contiguous float32 tensor in host memory.</summary>
    Tensor Finish();
}
