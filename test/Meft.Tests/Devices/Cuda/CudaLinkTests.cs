using Meft.Devices;
using Meft.Devices.Cuda;
using Meft.Memory;
using Meft.Native;
using Meft.Tests.Models;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Devices.Cuda;

public class CudaLinkTests
{
    private static readonly ScalarType[] Types = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16];

    [Fact]
    public void Moves_the_numbers_and_counts_the_bytes_that_a_plain_link_does()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var runtime = new FakeCudaRuntime(seed == 0 ? null : new Random(seed));
            var (plain, counted) = (new MemoryLedger(), new MemoryLedger());
            List<Tensor> expected, actual;
            using (var link = new HostLink(CPU, plain)) expected = Sequence(link, seed);
            using (var link = new CudaLink(CPU, runtime, counted)) actual = Sequence(link, seed);
            actual.Count.ShouldBe(expected.Count);
            foreach (var (have, want) in actual.Zip(expected))
            {
                have.dtype.ShouldBe(want.dtype);
                have.shape.ShouldBe(want.shape);
                have.equal(want).all().item<bool>().ShouldBeTrue();
            }
            counted.ToHostByCause.ShouldBe(plain.ToHostByCause, ignoreOrder: true);
            counted.ToDeviceByCause.ShouldBe(plain.ToDeviceByCause, ignoreOrder: true);
            runtime.Violations.ShouldBeEmpty();
            runtime.LiveHandles.ShouldBe(0);
            foreach (var tensor in actual.Concat(expected)) tensor.Dispose();
        }
    }

    [Fact]
    public void The_plain_links_numbers_are_those_that_were_sent()
    {
        using var scope = NewDisposeScope();
        using var link = new CudaLink(CPU, new FakeCudaRuntime(), null);
        var x = randn(3, 5).to(ScalarType.BFloat16).t(); // not contiguous
        var there = link.ToHost(x, LinkUse.Activations);
        there.dtype.ShouldBe(ScalarType.Float32);
        there.is_contiguous().ShouldBeTrue();
        there.equal(x.to(ScalarType.Float32)).all().item<bool>().ShouldBeTrue();
        link.ToDevice(there, ScalarType.BFloat16, LinkUse.Activations).equal(x).all().item<bool>().ShouldBeTrue();
        link.ToDevice(zeros(0, 4), ScalarType.Float32, LinkUse.Rows).shape.ShouldBe([0, 4]);
        link.ToHost(zeros(0, 4), LinkUse.Rows).shape.ShouldBe([0, 4]);
    }

    [Fact]
    public void A_copy_waits_for_what_was_computed_before_it_was_asked_for_and_for_no_more()
    {
        using var scope = NewDisposeScope();
        var runtime = new FakeCudaRuntime { Clock = 5 };
        using var link = new CudaLink(CPU, runtime, null);
        using var transfer = link.BeginToHost(ones(2, 3), LinkUse.Activations);
        using var room = link.Reserve([2, 3], ScalarType.Float32);
        runtime.Clock = 9;
        runtime.HostWaits.ShouldBe(0);
        room.Fill(transfer.Finish(), LinkUse.Activations);
        link.ToDevice(ones(1), ScalarType.Float32, LinkUse.Activations);
        runtime.Copies.ShouldBe([
            (CopyDirection.ToHost, 24, 5), (CopyDirection.ToDevice, 24, 5), (CopyDirection.ToDevice, 4, 9)]);
        runtime.HostWaits.ShouldBe(1); // for x; what goes to the device is waited for by the device
    }

    [Fact]
    public void A_tensor_that_is_freed_while_it_travels_arrives_whole()
    {
        using var link = new CudaLink(CPU, new FakeCudaRuntime(), null);
        var x = ScalarOperations.Filled([64, 1024], 7, ScalarType.Float32, CPU);
        using var transfer = link.BeginToHost(x, LinkUse.Activations);
        x.Dispose();
        using var scope = NewDisposeScope();
        for (var i = 0; i < 4; i++) ScalarOperations.Filled([64, 1024], 9, ScalarType.Float32, CPU); // takes freed memory
        using var arrived = transfer.Finish();
        arrived.Is(7).all().item<bool>().ShouldBeTrue();
    }

    [Fact]
    public void Staging_memory_is_used_again_and_never_before_its_copy_is_through()
    {
        using var scope = NewDisposeScope();
        var runtime = new FakeCudaRuntime();
        var ledger = new MemoryLedger();
        using var link = new CudaLink(CPU, runtime, ledger);
        for (var i = 0; i < 50; i++) link.ToDevice(ScalarOperations.Filled([100], i, ScalarType.Float32, CPU), ScalarType.Float32, LinkUse.Rows).Is(i).all().item<bool>().ShouldBeTrue();
        runtime.Allocations.ShouldBe(1);
        ledger.HostByCause["pinned staging"].ShouldBe(1 << 16);

        // Four under way at once; each brings its own numbers.
        var transfers = Enumerable.Range(0, 4).Select(i => link.BeginToHost(ScalarOperations.Filled([100], i, ScalarType.Float32, CPU), LinkUse.Rows)).ToList();
        for (var i = 0; i < 4; i++) transfers[i].Finish().Is(i).all().item<bool>().ShouldBeTrue();
        runtime.Allocations.ShouldBe(4);
        foreach (var transfer in transfers) transfer.Dispose();
        link.BeginToHost(ones(3), LinkUse.Rows).Dispose(); // given up
        runtime.Allocations.ShouldBe(4);
        runtime.Violations.ShouldBeEmpty();
    }

    [Fact]
    public void A_staging_buffer_that_comes_back_busy_is_waited_for_only_when_there_are_enough_of_its_size()
    {
        var runtime = new FakeCudaRuntime();
        using var stream = new CudaStream(runtime);
        using var pool = new StagingPool(runtime);
        for (var i = 0; i < 4; i++)
        {
            var busy = pool.Rent(10);
            runtime.Copy(busy.Memory.Value, busy.Memory.Value, 10, CopyDirection.ToDevice, stream.Value);
            busy.UseUntil(stream.Record());
            pool.Return(busy);
        }
        (runtime.Allocations, runtime.HostWaits).ShouldBe((4, 0));
        var oldest = pool.Rent(10);
        (runtime.Allocations, runtime.HostWaits).ShouldBe((4, 1));
        pool.Return(oldest);
    }

    [Fact]
    public void A_layer_comes_in_pieces_from_pinned_memory_and_the_device_waits_for_all_of_them()
    {
        const int count = (20 << 20) / sizeof(float);
        var runtime = new FakeCudaRuntime { Clock = 3 };
        using (var link = new CudaLink(CPU, runtime, null))
        {
            using var source = link.HostBuffer(count, ScalarType.Float32);
            using var target = zeros(count);
            source.copy_(ScalarOperations.Counting(count, ScalarType.Int64));
            var transfer = link.BeginToDevice(source, target, LinkUse.BaseLayers);
            target.Is(0).all().item<bool>().ShouldBeTrue();
            transfer.Wait();
            transfer.Wait();
            target.equal(source).all().item<bool>().ShouldBeTrue();
            runtime.Copies.Select(c => c.Bytes).ShouldBe([8 << 20, 8 << 20, 4 << 20]);
            runtime.Copies.ShouldAllBe(c => c.After == 3);
            runtime.HostWaits.ShouldBe(0);
        }
        runtime.Violations.ShouldBeEmpty();
        runtime.LiveHandles.ShouldBe(0);
    }

    [Fact]
    public void A_pinned_tensor_lives_as_long_as_its_last_view()
    {
        var runtime = new FakeCudaRuntime();
        using var link = new CudaLink(CPU, runtime, null);
        var block = link.HostBuffer(10, ScalarType.Float32);
        var view = block.narrow(0, 4, 2);
        block.Dispose();
        runtime.LiveHandles.ShouldBe(1);
        view.FillWith(3);
        view.sum().item<float>().ShouldBe(6);
        view.Dispose();
        runtime.LiveHandles.ShouldBe(0);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var link = new CudaLink(CPU, new FakeCudaRuntime(), null);
        TinyDecoder.LiveTensorsAdded(() =>
        {
            using var scope = NewDisposeScope();
            using var transfer = link.BeginToHost(ones(2, 3), LinkUse.Rows);
            link.ToDevice(link.ToHost(ones(2, 3), LinkUse.Rows), ScalarType.BFloat16, LinkUse.Rows);
            link.Reserve([5], ScalarType.Float32).Dispose();
        }).ShouldBe(0);
    }

    /// <summary>Transfers of all kinds, several under way at once; what arrived, as it was when it was handed out.</summary>
    private static List<Tensor> Sequence(IDeviceLink link, int seed)
    {
        var random = new Random(seed);
        var results = new List<Tensor>();
        var (toHost, rooms) = (new Queue<IHostTransfer>(), new Queue<(IDeviceRoom Room, Tensor Source)>());
        using var generator = new Generator((ulong)seed);
        for (var i = 0; i < 60; i++)
        {
            using var scope = NewDisposeScope();
            var type = Types[random.Next(Types.Length)];
            long[] shape = [random.Next(1, 9), random.Next(1, 40)];
            var numbers = randn(shape, generator: generator);
            switch (random.Next(6))
            {
                case 0:
                    toHost.Enqueue(link.BeginToHost(numbers.to(type), LinkUse.RowGradients));
                    break;
                case 1 when toHost.Count > 0:
                    using (var transfer = toHost.Dequeue()) results.Add(transfer.Finish().DetachFromDisposeScope());
                    break;
                case 2:
                    rooms.Enqueue((link.Reserve(shape, type), numbers.DetachFromDisposeScope()));
                    break;
                case 3 when rooms.Count > 0:
                    var (room, source) = rooms.Dequeue();
                    results.Add(room.Fill(source, LinkUse.Activations).clone().DetachFromDisposeScope());
                    room.Dispose();
                    source.Dispose();
                    break;
                case 4:
                    results.Add(link.ToDevice(numbers, type, LinkUse.Rows).clone().DetachFromDisposeScope());
                    break;
                default:
                    var block = link.HostBuffer(numbers.numel(), ScalarType.Float32);
                    block.copy_(numbers.flatten());
                    var target = empty_like(block);
                    link.BeginToDevice(block, target, LinkUse.BaseLayers).Wait();
                    results.Add(target.clone().DetachFromDisposeScope());
                    break;
            }
        }
        foreach (var transfer in toHost) transfer.Dispose();
        foreach (var (room, source) in rooms)
        {
            room.Dispose();
            source.Dispose();
        }
        return results;
    }
}
