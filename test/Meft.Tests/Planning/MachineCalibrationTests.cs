using Meft.Kernels;
using Meft.Planning;
using Shouldly;
using TorchSharp;
using static TorchSharp.torch;

namespace Meft.Tests.Planning;

/// <summary>Alone, since the number of threads is the whole process's.</summary>
[Collection(nameof(AloneCollection))]
public sealed class MachineCalibrationTests
{
    /// <summary>Bounds far outside of any machine, loaded or not: what lies beyond them was computed wrongly.</summary>
    [Fact]
    public void Each_speed_is_in_its_own_unit()
    {
        var machine = MachineCalibration.Measure(CPU);
        foreach (var rate in new[] { machine.SingleMatmul.SmallFlops, machine.SingleMatmul.LargeFlops, machine.DotFlops }) rate.ShouldBeInRange(1e7, 1e14);
        foreach (var rate in new[] { machine.HalfMatmul.SmallFlops, machine.HalfMatmul.LargeFlops }) rate.ShouldBeInRange(1e6, 1e14);
        foreach (var rate in new[] { machine.HostBytesPerSecond, machine.DeviceBytesPerSecond }) rate.ShouldBeInRange(1e7, 1e13);
        machine.OperationSeconds.ShouldBeInRange(1e-8, 1e-2);
        machine.IsSane.ShouldBeTrue();
        machine.ToDeviceBytesPerSecond.ShouldBeNull();
        machine.ToHostBytesPerSecond.ShouldBeNull();
        machine.Key.ShouldBe(MachineCalibration.KeyOf(CPU));
    }

    [Fact]
    public void It_holds_for_one_device_and_number_of_threads()
    {
        var key = MachineCalibration.KeyOf(CPU);
        key.Device.ShouldBe("cpu");
        MachineCalibration.KeyOf(new Device(DeviceType.CUDA, 1)).Device.ShouldBe("cuda:1");
        var threads = KernelThreads.Count;
        try
        {
            KernelThreads.Count = threads + 3;
            MachineCalibration.KeyOf(CPU).ShouldBe(key with { Threads = threads + 3 });
        }
        finally
        {
            KernelThreads.Count = threads;
        }
    }
}
