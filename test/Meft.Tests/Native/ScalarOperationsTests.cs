using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Native;

[Collection(nameof(AloneCollection))]
public sealed class ScalarOperationsTests
{
    [Fact]
    public void A_number_is_the_same_however_often_memory_is_collected_meanwhile()
    {
        var done = false;
        var collecting = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collecting.Start();
        using var x = ones(4, float64);
        using var half = x.Times(0.5);
        using (NewDisposeScope())
        {
            for (var i = 0; i < 20_000; i++)
            {
                using var y = x.Times(i + 0.5);
                y[0].item<double>().ShouldBe(i + 0.5);
                using var sum = half.Plus(y);
                sum[0].item<double>().ShouldBe(i + 1.0);
            }
        }
        Volatile.Write(ref done, true);
        collecting.Join();
    }

    [Fact]
    public void Each_is_what_it_says()
    {
        using var scope = NewDisposeScope();
        var x = tensor([-1.0, 0.5, 2.0]);
        x.Times(2.0).data<double>().ToArray().ShouldBe([-2, 1, 4]);
        x.Plus(1.0).data<double>().ToArray().ShouldBe([0, 1.5, 3]);
        x.Plus(x).data<double>().ToArray().ShouldBe([-2, 1, 4]);
        x.clone().PlusInPlace(x).data<double>().ToArray().ShouldBe([-2, 1, 4]);
        x.Squared().data<double>().ToArray().ShouldBe([1, 0.25, 4]);
        x.Power(2).data<double>().ToArray().ShouldBe([1, 0.25, 4]);
        x.IsAbove(0).data<bool>().ToArray().ShouldBe([false, true, true]);
        x.Masked(tensor([true, false, false]), 7).data<double>().ToArray().ShouldBe([7, 0.5, 2]);
        x.clone().TimesInPlace(3).PlusInPlace(1).data<double>().ToArray().ShouldBe([-2, 2.5, 7]);
        var n = ScalarOperations.Counting(4, int64);
        n.Times(3L).Plus(1L).data<long>().ToArray().ShouldBe([1, 4, 7, 10]);
        n.IsNot(2).data<bool>().ToArray().ShouldBe([true, true, false, true]);
        n.IsBelow(2).data<bool>().ToArray().ShouldBe([true, true, false, false]);
        n.IsAtLeast(2).data<bool>().ToArray().ShouldBe([false, false, true, true]);
        n.to(float64).Modulo(2).data<double>().ToArray().ShouldBe([0, 1, 0, 1]);
        ScalarOperations.Filled([2, 1], 0.5, float32, CPU).data<float>().ToArray().ShouldBe([0.5f, 0.5f]);
        zeros(3).FillSlices(0, tensor([1L]), 4).data<float>().ToArray().ShouldBe([0, 4, 0]);
        zeros(3).AddSlices(0, tensor([1L, 1L]), ones(2)).data<float>().ToArray().ShouldBe([0, 2, 0]);
    }
}
