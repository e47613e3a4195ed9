using CsCheck;

namespace Meft.Kernels.Tests;

public class KernelThreadsTests
{
    [Fact]
    public void Every_item_is_done_once() =>
        Gen.Select(Gen.Int[0, 5000], Gen.Int[1, 700]).Sample((count, grain) =>
        {
            var done = new int[count];
            KernelThreads.For(count, grain, (from, to) =>
            {
                for (var i = from; i < to; i++) Interlocked.Increment(ref done[i]);
            });
            Assert.All(done, times => Assert.Equal(1, times));
        }, iter: 2000);

    [Fact]
    public void Calls_within_calls_and_from_many_threads_are_done_as_well()
    {
        var total = 0;
        Parallel.For(0, 8, caller =>
        {
            for (var call = 0; call < 200; call++)
            {
                KernelThreads.For(20, 1, (from, to) =>
                {
                    for (var i = from; i < to; i++)
                        KernelThreads.For(3, 1, (first, end) => Interlocked.Add(ref total, end - first));
                });
            }
        });
        Assert.Equal(8 * 200 * 20 * 3, total);
    }

    [Fact]
    public void What_a_range_throws_reaches_the_caller_and_the_next_call_works()
    {
        var error = Assert.Throws<InvalidOperationException>(() => KernelThreads.For(50, 1, (from, to) =>
        {
            if (from <= 37 && to > 37) throw new InvalidOperationException("of range 37");
        }));
        Assert.Equal("of range 37", error.Message);
        var total = 0;
        KernelThreads.For(50, 1, (from, to) => Interlocked.Add(ref total, to - from));
        Assert.Equal(50, total);
    }

    [Fact]
    public void Every_range_is_done_whether_helpers_sleep_or_not()
    {
        for (var call = 0; call < 50; call++)
        {
            var total = 0;
            KernelThreads.For(100, 1, (from, to) =>
            {
                Thread.SpinWait(2000);
                Interlocked.Add(ref total, to - from);
            });
            Assert.Equal(100, total);
            Thread.Yield();
        }
    }

    [Fact]
    public void Work_that_lies_in_an_object_may_be_moved_by_the_collector_between_calls_but_not_within_one()
    {
        for (var call = 0; call < 20; call++)
        {
            var garbage = new byte[2000][];
            for (var i = 0; i < garbage.Length; i++) garbage[i] = new byte[1000];
            var holder = new Holder { Work = new CollectingWork(garbage, new int[8]) };
            KernelThreads.For(8, grain: 1, ref holder.Work);
            Assert.All(holder.Work.Done, times => Assert.Equal(1, times));
        }
    }

    /// <summary>As a captured variable does, its work lies in an object.</summary>
    private sealed class Holder
    {
        public CollectingWork Work;
    }

    /// <summary>Drops what lies before it in memory and collects, before every range.</summary>
    private readonly struct CollectingWork(byte[][] garbage, int[] done) : IRangeWork
    {
        public int[] Done => done;

        public void Run(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                Array.Clear(garbage);
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
                for (var j = 0; j < garbage.Length; j++) garbage[j] = new byte[1000];
                Interlocked.Increment(ref done[i]);
            }
        }
    }
}
