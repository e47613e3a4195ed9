using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Meft.Core.Errors;
using Meft.Core.Planning;
using TorchSharp;

namespace Meft.Native;

/// <summary>What <see cref="NativeTorch"/> loaded.</summary>
/// <param name="LibtorchFolder">The folder libtorch was loaded from.</param>
/// <param name="LibtorchSource">Why that folder: <c>MEFT_LIBTORCH</c> or the package beside the program.</param>
/// <param name="BindingPath">The file of TorchSharp's native half that was loaded.</param>
/// <param name="Mended">What was mended on a copy to make it load, or null if nothing had to be.</param>
/// <param name="Cuda">Whether the folder holds a CUDA build.</param>
/// <param name="LibtorchVersion">The version of that libtorch, such as 2.11.0+cu130.</param>
public sealed record NativeTorchInfo(string LibtorchFolder, string LibtorchSource, string BindingPath, string? Mended, bool Cuda, string LibtorchVersion);

/// <summary>
/// Loads libtorch and TorchSharp's native half before TorchSharp first looks for them.
/// <list type="bullet">
/// <item><c>MEFT_LIBTORCH</c> names a folder with another libtorch (a CUDA build, an unpacked libtorch's <c>lib</c>, a Python
/// install's <c>torch/lib</c>); without it, the package beside the program is used.</item>
/// <item>TorchSharp 0.107 asks for the symbol version GLIBCXX_3.4.32, which Debian 12 and Ubuntu 22.04 lack, although no symbol
/// of that version is ever called. Only where the loader refuses the file for that reason, a copy of it with that one
/// requirement marked weak is made in the user's cache folder and loaded instead.</item>
/// </list>
/// </summary>
public static class NativeTorch
{
    private const string LackedVersion = "GLIBCXX_3.4.32";
    private static readonly Lock Gate = new();
    private static NativeTorchInfo? _loaded;

    /// <summary>Loads the native libraries once; later calls return what the first one loaded.</summary>
    /// <exception cref="InvalidInputException"><c>MEFT_LIBTORCH</c> names a folder without libtorch.</exception>
    /// <exception cref="RunFailedException">A library could not be loaded.</exception>
    public static NativeTorchInfo Load()
    {
        lock (Gate) return _loaded ??= LoadOnce();
    }

    private static NativeTorchInfo LoadOnce()
    {
        KeepOpenMpFromSpinning();
        LimitCompiledShapes();
        PreferHugePages();
        HostHeap.MapBlocksFrom(ProgramMemory.MappedBlockBytes);
        if (!OperatingSystem.IsLinux()) return LoadElsewhere();

        var packaged = PackagedFolder();
        var binding = Path.Combine(packaged, "libLibTorchSharp.so");
        var (folder, source) = LibtorchFolder(packaged);
        // A library loaded by its full path satisfies later requests for its name, so the order is that of the dependencies.
        foreach (var name in LoadOrder(folder)) LoadLibrary(Path.Combine(folder, name));

        string? mended = null;
        try
        {
            NativeLibrary.Load(binding);
        }
        catch (DllNotFoundException e) when (e.Message.Contains(LackedVersion, StringComparison.Ordinal))
        {
            binding = MendedCopy(binding);
            mended = $"{LackedVersion} marked weak in a copy of libLibTorchSharp.so: this system's libstdc++ lacks it";
            LoadLibrary(binding);
        }
        catch (DllNotFoundException e)
        {
            throw LoadFailure(binding, e);
        }

        var handle = NativeLibrary.Load(binding);
        DllImportResolver resolver = (name, _, _) => name == "LibTorchSharp" ? handle : IntPtr.Zero;
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, resolver);
        NativeLibrary.SetDllImportResolver(typeof(NativeTorch).Assembly, resolver);
        var cuda = File.Exists(Path.Combine(folder, "libtorch_cuda.so"));
        return new NativeTorchInfo(folder, source, binding, mended, cuda, LibtorchVersion.Of(folder, packaged: folder == packaged));
    }

    /// <summary>
    /// libtorch's OpenMP threads spin after each parallel region by default and so take the cores from our own threads.
    /// The runtime reads these variables when it is loaded; a value that the user has set stays.
    /// </summary>
    private static void KeepOpenMpFromSpinning() => SetUnlessUserDid("OMP_WAIT_POLICY", "PASSIVE");

    /// <summary>
    /// oneDNN keeps up to 1024 matrix products compiled, one for each number of tokens; rows of all lengths fill that with what is never used again.
    /// A step needs a few dozen.
    /// </summary>
    private static void LimitCompiledShapes() => SetUnlessUserDid("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64");

    /// <summary>
    /// Large tensors come and go with every layer, and to take them in pages of 4 KiB each time is a third of a step of a model with a hidden size of 4096.
    /// libtorch reads this variable at its first allocation, and then asks for huge pages behind whatever has 2 MiB.
    /// </summary>
    private static void PreferHugePages() => SetUnlessUserDid("THP_MEM_ALLOC_ENABLE", "1");

    private static void SetUnlessUserDid(string name, string value)
    {
        // .NET's own copy of the environment is not the one that native code reads.
        if (Environment.GetEnvironmentVariable(name) is null && OperatingSystem.IsLinux()) _ = SetEnvironment(name, value, 0);
    }

    private static NativeTorchInfo LoadElsewhere()
    {
        if (Environment.GetEnvironmentVariable("MEFT_LIBTORCH") is { Length: > 0 } named)
        {
            throw new InvalidInputException(
                "MEFT_LIBTORCH is read on Linux only", named, "Linux", "unset MEFT_LIBTORCH to use the packaged libtorch");
        }
        var folder = AppContext.BaseDirectory;
        return new NativeTorchInfo(folder, "package", folder, null, Cuda: false, LibtorchVersion.Of(folder, packaged: true));
    }

    private static (string Folder, string Source) LibtorchFolder(string packaged)
    {
        if (Environment.GetEnvironmentVariable("MEFT_LIBTORCH") is not { Length: > 0 } named) return (packaged, "package");
        foreach (var folder in new[] { named, Path.Combine(named, "lib"), Path.Combine(named, "runtimes", "linux-x64", "native") })
        {
            if (File.Exists(Path.Combine(folder, "libtorch_cpu.so"))) return (Path.GetFullPath(folder), "MEFT_LIBTORCH");
        }
        throw new InvalidInputException(
            "no libtorch_cpu.so in the folder that MEFT_LIBTORCH names", named,
            "the folder of a libtorch 2.10 or 2.11: an unpacked libtorch, a libtorch NuGet package, or a Python install's torch/lib",
            "correct MEFT_LIBTORCH, or unset it to use the packaged libtorch");
    }

    /// <summary>The build puts the packages' libraries here, out of the way of TorchSharp's own search.</summary>
    private static string PackagedFolder()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "libtorch");
        return File.Exists(Path.Combine(folder, "libLibTorchSharp.so")) ? folder : throw new RunFailedException(
            "the native half of TorchSharp, libLibTorchSharp.so, is missing", folder, null, "restore and build again on linux-x64");
    }

    private static IEnumerable<string> LoadOrder(string folder)
    {
        var openMp = Directory.EnumerateFiles(folder, "libgomp*.so*").Select(f => Path.GetFileName(f)!);
        string[] cudaOnly = ["libc10_cuda.so", "libtorch_cuda_linalg.so", "libtorch_cuda.so"];
        return openMp.Concat(["libc10.so"]).Concat(cudaOnly.Take(1)).Concat(["libtorch_cpu.so"]).Concat(cudaOnly.Skip(2))
            .Concat(["libtorch.so"]).Where(name => File.Exists(Path.Combine(folder, name)));
    }

    private static string MendedCopy(string original)
    {
        var bytes = File.ReadAllBytes(original);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        if (ElfVersionRequirement.MarkWeak(bytes, LackedVersion) == 0)
            throw new RunFailedException($"the library was refused for {LackedVersion} but holds no such requirement", original);
        Exception? failure = null;
        foreach (var cache in CacheFolders())
        {
            try
            {
                return WriteCopy(Path.Combine(cache, "native", hash), bytes);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                failure = e;
            }
        }
        throw new RunFailedException(
            $"no mended copy of the library can be written: {failure!.Message}", string.Join(", ", CacheFolders()), null,
            "set XDG_CACHE_HOME to a folder that can be written", failure);
    }

    /// <summary>The copy's path; what lies there already is taken only if it is, byte for byte, what would be written.</summary>
    private static string WriteCopy(string folder, byte[] bytes)
    {
        var copy = Path.Combine(folder, "libLibTorchSharp.so");
        if (File.Exists(copy) && File.ReadAllBytes(copy).AsSpan().SequenceEqual(bytes)) return copy;
        // For this user alone: nobody else may put a library of theirs there.
        if (!OperatingSystem.IsWindows()) Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var temporary = Path.Combine(folder, $".{Environment.ProcessId}.tmp");
        File.WriteAllBytes(temporary, bytes);
        File.Move(temporary, copy, overwrite: true);
        return copy;
    }

    /// <summary>Where copies may go, the first that can be written: the user's cache, else a folder of the user's among the temporary ones.</summary>
    private static IEnumerable<string> CacheFolders()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache)) cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        if (cache.Length > 0) yield return Path.Combine(cache, "meft");
        yield return Path.Combine(Path.GetTempPath(), $"meft-{Environment.UserName}");
    }

    private static void LoadLibrary(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e)
        {
            throw LoadFailure(path, e);
        }
    }

    private static RunFailedException LoadFailure(string path, DllNotFoundException e) => new(
        $"the native library could not be loaded: {e.Message.ReplaceLineEndings(" ")}", path, null,
        "run `meft doctor`; MEFT_LIBTORCH must name a libtorch 2.10 or 2.11", e);

    [DllImport("libc", EntryPoint = "setenv", BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
