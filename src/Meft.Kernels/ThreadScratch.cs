using System.Runtime.InteropServices;

namespace Meft.Kernels;

/// <summary>Memory of the calling thread for what it works on at the moment; kept, since fresh pages cost more than the work in them.</summary>
internal sealed unsafe class ThreadScratch
{
    private const nuint Alignment = 64;

    [ThreadStatic]
    private static ThreadScratch? _own;

    private void* _memory;
    private nint _bytes;

    private ThreadScratch()
    {
    }

    ~ThreadScratch() => NativeMemory.AlignedFree(_memory);

    /// <summary>So many bytes; what an earlier call gave may be gone.</summary>
    public static nint Take(nint bytes)
    {
        var own = _own ??= new ThreadScratch();
        if (own._bytes < bytes)
        {
            NativeMemory.AlignedFree(own._memory);
            own._memory = null;
            own._bytes = 0; // there may be no memory for more
            own._memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            own._bytes = bytes;
        }
        var memory = (nint)own._memory;
        GC.KeepAlive(own);
        return memory;
    }
}
