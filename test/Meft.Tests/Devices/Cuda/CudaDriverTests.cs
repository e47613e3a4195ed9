using System.Runtime.InteropServices;
using Meft.Devices.Cuda;
using Shouldly;

namespace Meft.Tests.Devices.Cuda;

/// <summary>The calls of CUDA's driver, bound to functions of this class.</summary>
public sealed unsafe class CudaDriverTests
{
    private const int NoDevice = 100;
    private static string _failing = "", _name = "";

    [Theory]
    [InlineData("NVIDIA H200", "NVIDIA H200")]
    [InlineData("  NVIDIA GeForce RTX 4090 ", "NVIDIA GeForce RTX 4090")]
    [InlineData("", null)]
    public void A_card_says_its_name(string said, string? name)
    {
        (_failing, _name) = ("", said);
        CudaDriver.NameOf(Export, 3).ShouldBe(name);
    }

    [Theory]
    [InlineData("cuInit")]
    [InlineData("cuDeviceGet")]
    [InlineData("cuDeviceGetName")]
    public void A_driver_that_fails_gives_no_name(string failing)
    {
        (_failing, _name) = (failing, "X");
        CudaDriver.NameOf(Export, 3).ShouldBeNull();
    }

    [Theory]
    [InlineData("cuInit")]
    [InlineData("cuDeviceGet")]
    [InlineData("cuDeviceGetName")]
    public void A_driver_without_a_function_gives_no_name(string missing)
    {
        (_failing, _name) = ("", "X");
        CudaDriver.NameOf(name => name == missing ? 0 : Export(name), 3).ShouldBeNull();
    }

    private static nint Export(string name) => name switch
    {
        "cuInit" => (nint)(delegate* unmanaged<uint, int>)&Initialize,
        "cuDeviceGet" => (nint)(delegate* unmanaged<int*, int, int>)&Get,
        "cuDeviceGetName" => (nint)(delegate* unmanaged<byte*, int, int, int>)&Name,
        _ => throw new ArgumentException(name),
    };

    [UnmanagedCallersOnly]
    private static int Initialize(uint flags) => flags == 0 ? Result("cuInit") : 1;

    [UnmanagedCallersOnly]
    private static int Get(int* card, int index)
    {
        *card = index + 40;
        return Result("cuDeviceGet");
    }

    [UnmanagedCallersOnly]
    private static int Name(byte* into, int length, int card)
    {
        if (card != 43) return 1;
        var bytes = System.Text.Encoding.UTF8.GetBytes(_name + "\0");
        bytes.CopyTo(new Span<byte>(into, length));
        return Result("cuDeviceGetName");
    }

    private static int Result(string call) => call == _failing ? NoDevice : 0;
}
