using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Tests.Devices.Cuda;

/// <summary>A real CUDA card. Tests that need one are skipped where there is none; MEFT_LIBTORCH names the CUDA libtorch where there is.</summary>
internal static class Card
{
    /// <summary>The first card; skips the test where there is none.</summary>
    public static Device Require()
    {
        NativeTorch.Load();
        Assert.SkipUnless(cuda.is_available(), "this machine has no CUDA card, or libtorch is not a CUDA build");
        return device("cuda:0");
    }
}
