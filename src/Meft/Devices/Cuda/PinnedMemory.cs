using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Devices.Cuda;

/// <summary>Pinned host memory.</summary>
/// <param name="runtime">Where it comes from.</param>
/// <param name="byteCount">Its size.</param>
internal sealed unsafe class PinnedMemory(ICudaRuntime runtime, long byteCount) : CudaHandle(runtime, runtime.AllocatePinned(byteCount))
{
    /// <summary>Memory that belongs to tensors, by its address.</summary>
    private static readonly ConcurrentDictionary<nint, PinnedMemory> OwnedByTensors = [];

    /// <summary>Its size.</summary>
    public long ByteCount => byteCount;

    /// <summary>A tensor [n] over the beginning of this memory, which must outlive it.</summary>
    public Tensor View(long elementCount, ScalarType type) => ForeignTensor.Over(Value, elementCount, type, &Keep);

    /// <summary>A new tensor [n] in pinned memory of its own, which goes with it.</summary>
    public static Tensor NewTensor(ICudaRuntime runtime, long elementCount, ScalarType type)
    {
        var memory = new PinnedMemory(runtime, Math.Max(1, elementCount) * TensorMemory.ElementBytes(type));
        OwnedByTensors[memory.Value] = memory;
        return ForeignTensor.Over(memory.Value, elementCount, type, &Release);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Runtime.FreePinned(handle);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Keep(nint address)
    {
        // The memory belongs to somebody else.
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(nint address)
    {
        if (OwnedByTensors.TryRemove(address, out var memory)) memory.Dispose();
    }
}
