using System.Diagnostics;
using Meft.Native;
using Shouldly;

namespace Meft.Tests.Native;

/// <summary>A libtorch of the user's own: each case is a process of its own, since a process loads one only once.</summary>
public class LibtorchFolderTests
{
    [Fact]
    public void A_process_never_loads_the_packaged_libtorch_beside_another()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "MEFT_LIBTORCH is read on Linux only");
        // The packages lie where the runtime's own search for native libraries, and so TorchSharp's, does not look.
        var info = NativeTorch.Load();
        var searched = ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "").Split(Path.PathSeparator);
        searched.Select(Path.TrimEndingDirectorySeparator).ShouldNotContain(Path.TrimEndingDirectorySeparator(info.LibtorchFolder));
        var loaded = Process.GetCurrentProcess().Modules.Cast<ProcessModule>().Select(m => m.FileName).Where(f => f.EndsWith("libtorch_cpu.so", StringComparison.Ordinal));
        loaded.Distinct().ShouldBe([Path.Combine(info.LibtorchFolder, "libtorch_cpu.so")]);
    }
}
