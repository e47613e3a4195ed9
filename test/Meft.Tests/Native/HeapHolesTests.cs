using Meft.Native;
using Shouldly;

namespace Meft.Tests.Native;

public sealed class HeapHolesTests
{
    /// <summary>Each step needs 100 bytes for itself; holes grow as told.</summary>
    private sealed class Heap
    {
        public long Holes { get; set; }

        public int Releases { get; private set; }

        public long? Free => 100 + Holes;

        public void Release()
        {
            Releases++;
            Holes = 0;
        }
    }

    [Fact]
    public void What_every_step_needs_is_not_given_back_after_every_step()
    {
        var heap = new Heap();
        var holes = new HeapHoles(limitBytes: 60, () => heap.Free, heap.Release);
        for (var step = 0; step < 50; step++) holes.Close();
        heap.Releases.ShouldBe(1);
        holes.LimitBytes.ShouldBe(200);
    }

    [Fact]
    public void Holes_that_grow_are_given_back_when_they_are_as_large_as_a_step()
    {
        var heap = new Heap();
        var holes = new HeapHoles(limitBytes: 60, () => heap.Free, heap.Release);
        var most = 0L;
        for (var step = 0; step < 500; step++)
        {
            heap.Holes += 5;
            most = Math.Max(most, heap.Free!.Value);
            holes.Close();
        }
        most.ShouldBeLessThanOrEqualTo(220);
        heap.Releases.ShouldBeInRange(20, 30);
    }

    [Fact]
    public void Below_the_limit_nothing_is_given_back()
    {
        var heap = new Heap();
        var holes = new HeapHoles(limitBytes: 100, () => heap.Free, heap.Release);
        holes.Close();
        heap.Releases.ShouldBe(0);
    }

    [Fact]
    public void A_heap_that_cannot_be_asked_is_left_alone() => new HeapHoles(0, () => null, () => throw new InvalidOperationException()).Close();
}
