using System.Buffers;
using System.Runtime.InteropServices;

namespace Meft.Kernels.Attention;

/// <summary>Float32 memory of one thread's work, from a pool, handed out piece by piece.</summary>
internal sealed unsafe class AttentionScratch : IDisposable
{
    private readonly float[] _array;
    private GCHandle _pin;
    private float* _next;
    private long _left;

    public AttentionScratch(long floats)
    {
        _array = ArrayPool<float>.Shared.Rent(checked((int)(floats + TileProduct.WidthMultiple)));
        _pin = GCHandle.Alloc(_array, GCHandleType.Pinned);
        // Begun at a whole cache line, so that no register is loaded from two.
        _next = (float*)((_pin.AddrOfPinnedObject() + 63) & ~(nint)63);
        _left = floats;
    }

    /// <summary>The next piece; its content is whatever was there.</summary>
    public float* Take(long floats)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(floats, _left);
        var piece = _next;
        _next += floats;
        _left -= floats;
        return piece;
    }

    public void Dispose()
    {
        _pin.Free();
        ArrayPool<float>.Shared.Return(_array);
    }
}
