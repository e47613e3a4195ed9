using Meft.Core.Errors;
using Meft.Devices;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Devices;

public class DeviceLinksTests
{
    [Fact]
    public void The_cpu_has_plain_copies()
    {
        using var link = DeviceLinks.For(CPU, null);
        link.ShouldBeOfType<HostLink>().CopiesAside.ShouldBeFalse();
    }

    [Fact]
    public void The_variable_takes_plain_or_nothing()
    {
        DeviceLinks.WantsPlain(null).ShouldBeFalse();
        DeviceLinks.WantsPlain("").ShouldBeFalse();
        DeviceLinks.WantsPlain("plain").ShouldBeTrue();
        Should.Throw<InvalidInputException>(() => DeviceLinks.WantsPlain("Plain")).Message.ShouldBe("MEFT_CUDA_COPIES is 'Plain'. Allowed: plain, or not set.");
    }
}
