namespace Meft.Devices.Cuda;

/// <summary>Where a copy goes; the numbers are those of cudaMemcpyKind.</summary>
internal enum CopyDirection
{
    /// <summary>From host memory to the device.</summary>
    ToDevice = 1,

    /// <summary>From the device to host memory.</summary>
    ToHost = 2,
}
