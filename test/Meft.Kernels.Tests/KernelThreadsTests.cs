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
}
