using Meft.Planning;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Planning;

public sealed class MachineCalibrationTests
{
    [Fact]
    public void A_machine_has_speeds_and_the_calibration_says_what_it_holds_for()
    {
        var machine = MachineCalibration.Measure(CPU);
        machine.IsSane.ShouldBeTrue();
        machine.Key.ShouldBe(MachineCalibration.KeyOf(CPU));
        machine.ToDeviceBytesPerSecond.ShouldBeNull();
        machine.ToHostBytesPerSecond.ShouldBeNull();
        machine.Matmul(4).ShouldBe(machine.SingleMatmul);
        machine.Matmul(2).ShouldBe(machine.HalfMatmul);
    }
}
