using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Devices.Cuda;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using Meft.Tests.Adapters;
using Meft.Tests.Devices.Cuda;
using Meft.Tests.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Native;

/// <summary>An exception in a backward of managed code: it must not end the process, whatever stands below.</summary>
[Collection(nameof(AloneCollection))] // what has failed is kept in one place for all
public class GuardedFunctionTests
{
    public static TheoryData<ExecutionKind> BothExecutions => [.. Executions.Both];

    [Fact]
    public void A_failure_is_thrown_when_autograd_has_returned_and_what_stands_below_gives_no_gradient()
    {
        using var scope = NewDisposeScope();
        var x = ones(3).requires_grad_();
        FailingFunction.Apply(PassingFunction.Apply(PassingFunction.Apply(x))).sum().backward();
        RequireFailure();
        PassingFunction.Abandoned.ShouldBe(2);
        x.grad.ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Layers_and_adapters_below_a_failure_give_no_gradient_and_hold_nothing(ExecutionKind execution)
    {
        using var scope = NewDisposeScope();
        using var tiny = new TinyTask();
        using var layout = TokenLayout.FromLengths([4, 7], CPU);
        foreach (var overlaps in new[] { false, true })
        {
            using var adapter = new SparseAdapter(TinyTask.Spec).Initialize(seed: 3);
            var ledger = new MemoryLedger();
            if (overlaps) adapter.RunOn(execution, new CudaLink(CPU, new FakeCudaRuntime(), ledger), ledger);
            else adapter.RunOn(execution, CPU, ledger);
            var before = ledger.DeviceBytes;
            var h = tiny.Decoder.Embed(ScalarOperations.Counting(11, int64)).detach().requires_grad_();
            var y = h;
            for (var layer = 0; layer < tiny.Decoder.Config.LayerCount; layer++) y = tiny.Decoder.ForwardLayer(layer, y, layout, adapter: adapter);
            FailingFunction.Apply(y).sum().backward();
            RequireFailure();
            adapter.ThrowIfBackwardFailed();
            h.grad.ShouldBeNull();
            ledger.DeviceBytes.ShouldBe(before);
        }
    }

    [Fact]
    public void What_is_made_beside_a_result_is_freed_at_once()
    {
        using var x = ones(3).requires_grad_();
        using var scope = NewDisposeScope();
        var before = scope.DisposablesCount;
        PassingFunction.Apply(x);
        scope.DisposablesCount.ShouldBe(before + 1);
    }

    private static void RequireFailure()
    {
        Should.Throw<InvalidOperationException>(BackwardFailure.ThrowIfAny).Message.ShouldBe("the backward fails");
        BackwardFailure.ThrowIfAny();
    }
}
