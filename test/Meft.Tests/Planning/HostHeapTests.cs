using System.Runtime.InteropServices;
using Meft.Native;
using Shouldly;

namespace Meft.Tests.Planning;

[Collection(nameof(AloneCollection))]
public sealed class HostHeapTests
{
    [Fact]
    public unsafe void What_is_allocated_is_in_use_and_stays_what_it_was_when_the_heap_is_trimmed()
    {
        Assert.SkipWhen(HostHeap.Usage() is null, "only glibc's malloc can be asked what it holds");
        const int bytes = 64 << 20;
        var before = HostHeap.Usage()!.Value.InUse;
        var memory = (byte*)NativeMemory.Alloc(bytes);
        try
        {
            HostHeap.Usage()!.Value.InUse.ShouldBeGreaterThan(before + bytes / 2);
            new Span<byte>(memory, bytes).Fill(7);
            HostHeap.Release();
            new Span<byte>(memory, bytes).IndexOfAnyExcept((byte)7).ShouldBe(-1);
        }
        finally
        {
            NativeMemory.Free(memory);
        }
    }
}
