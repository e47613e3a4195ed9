using Meft.Kernels;
using Meft.Memory;
using Meft.Training;
using Shouldly;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Tests.Training;

public sealed class TensorGroupTests : IDisposable
{
    private readonly List<Tensor> _tensors = [];
    private readonly List<TensorMaster> _masters = [];

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Tensors_that_cross_together_take_the_steps_that_they_take_alone(ScalarType type)
    {
        var alone = Make(type);
        var together = Make(type);
        for (var step = 1; step <= 3; step++)
        {
            using var generator = new Generator((ulong)step);
            for (var i = 0; i < alone.Count; i++)
            {
                if (step == 2 && i == 1) continue; // a tensor that took no part has no gradient
                using var gradient = randn(_tensors[i].shape, generator: generator).to(type);
                foreach (var tensor in new[] { _tensors[i], _tensors[alone.Count + i] }) tensor.grad = gradient.clone();
            }
            var update = new AdamWStep(1e-2, 0.9, 0.999, 1e-8, 0.1, step, 1);
            var groups = alone.Select(m => new TensorGroup([m])).ToList();
            var group = new TensorGroup(together);
            group.CollectGradients(null).ShouldBe(groups.Sum(g => g.CollectGradients(null)), 1e-9);
            groups.ForEach(g => g.Update(update, null));
            group.Update(update, null);
            for (var i = 0; i < alone.Count; i++)
            {
                _tensors[i].equal(_tensors[alone.Count + i]).all().item<bool>().ShouldBeTrue($"step {step}, tensor {i}");
                _tensors[i].grad = _tensors[alone.Count + i].grad = null;
            }
        }
    }

    [Fact]
    public void On_the_CPU_each_is_alone_and_no_group_is_too_large_or_of_two_types()
    {
        var masters = Make(ScalarType.Float32).Concat(Make(ScalarType.BFloat16)).ToList();
        TensorGroup.For(CPU, masters).Count.ShouldBe(masters.Count);
        TensorGroup.For(new Device(DeviceType.CUDA, 0), masters).Count.ShouldBe(2);
        _tensors.Add(zeros(1 + TensorGroup.LargestBytes / sizeof(float)));
        _masters.Add(new TensorMaster("large", _tensors[^1]));
        TensorGroup.For(new Device(DeviceType.CUDA, 0), [masters[0], _masters[^1], masters[1], masters[2]]).Count.ShouldBe(3);
    }

    [Fact]
    public void The_copy_beside_the_tensors_is_counted_while_it_is_there()
    {
        var ledger = new MemoryLedger();
        var group = new TensorGroup(Make(ScalarType.BFloat16));
        group.CollectGradients(ledger);
        group.CopyIn(ledger);
        (ledger.DeviceBytes, ledger.DeviceBytesPeak).ShouldBe((0, 2 * (12 + 7 + 10 + 1)));
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        var group = new TensorGroup(Make(ScalarType.Float32));
        void Step()
        {
            foreach (var tensor in _tensors)
            {
                using var gradient = ones_like(tensor);
                tensor.grad = gradient;
            }
            group.CollectGradients(null);
            group.Update(new AdamWStep(1e-2, 0.9, 0.999, 1e-8, 0, 1, 1), null);
            foreach (var tensor in _tensors) tensor.grad = null;
        }
        Step();
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        Step();
        DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount.ShouldBe(before);
    }

    public void Dispose()
    {
        _masters.ForEach(m => m.Dispose());
        _tensors.ForEach(t => t.Dispose());
    }

    private List<TensorMaster> Make(ScalarType type)
    {
        using var generator = new Generator(9);
        List<TensorMaster> made = [];
        foreach (var shape in new long[][] { [3, 4], [7], [2, 5], [1, 1] })
        {
            _tensors.Add(randn(shape, generator: generator).to(type).requires_grad_());
            made.Add(new TensorMaster($"t{_tensors.Count}", _tensors[^1]));
        }
        _masters.AddRange(made);
        return made;
    }
}
