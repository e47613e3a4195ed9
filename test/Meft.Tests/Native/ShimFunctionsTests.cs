using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Native;

public class ShimFunctionsTests
{
    [Fact]
    public void Bytes_are_seen_as_the_numbers_that_they_are_without_a_copy()
    {
        using var scope = NewDisposeScope();
        var numbers = tensor(new[] { 1.5f, -2f, 0f, 3f }, [2, 2]);
        var bytes = numbers.SeenAs(ScalarType.Byte);
        bytes.shape.ShouldBe([2, 8]);
        bytes.narrow(1, 4, 4).SeenAs(ScalarType.Float32).data<float>().ToArray().ShouldBe([-2f, 3f]);
        numbers.copy_(tensor(7f));
        bytes.SeenAs(ScalarType.Float32).data<float>().ToArray().ShouldBe([7f, 7f, 7f, 7f]);
    }

    [Fact]
    public void A_product_is_rounded_once_to_the_type_of_its_result()
    {
        using var scope = NewDisposeScope();
        var codes = tensor(new sbyte[] { 127, -3, 100 }, [3, 1]);
        var scales = tensor(new[] { 0.0123f, 1.7f }, [1, 2]);
        var result = empty([3, 2], ScalarType.BFloat16);
        result.TakeProduct(codes, scales);
        result.ToString(TorchSharp.TensorStringStyle.Julia).ShouldBe((codes.to(float32) * scales).to(ScalarType.BFloat16).ToString(TorchSharp.TensorStringStyle.Julia));
    }

    [Fact]
    public void What_libtorch_refuses_is_told_with_the_shapes()
    {
        using var scope = NewDisposeScope();
        Should.Throw<InvalidOperationException>(() => zeros(2, 3).narrow(1, 1, 1).SeenAs(ScalarType.Float64)).Message.ShouldContain("Float32 [2, 1]");
        Should.Throw<InvalidOperationException>(() => zeros(2, 3).TakeProduct(zeros(2, 3), zeros(4, 5))).Message.ShouldContain("aten::mul.out of Float32 [2, 3], Float32 [4, 5]");
    }

    [Fact]
    public void Calls_leave_no_tensor_behind()
    {
        using var scope = NewDisposeScope();
        Tensor a = zeros(4, 4), b = zeros(4, 4);
        var before = TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        for (var i = 0; i < 3; i++)
        {
            a.TakeProduct(a, b);
            using var seen = a.SeenAs(ScalarType.Byte);
        }
        TorchSharp.DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount.ShouldBe(before);
    }
}
