using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Meft.Core.Errors;

namespace Meft.Devices.Cuda;

/// <summary>
/// Finds CUDA's runtime library: the one that libtorch has loaded already, else beside libtorch, else where Python's wheels put it beside
/// <c>torch/lib</c>, else by the names that the system's loader knows.
/// </summary>
internal static class CudaLibrary
{
    private static readonly string[] SystemNames = OperatingSystem.IsWindows()
        ? ["cudart64_13.dll", "cudart64_12.dll", "cudart64_110.dll"]
        : ["libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0", "libcudart.so"];

    /// <summary>Loads the library.</summary>
    /// <param name="libtorchFolder">The folder that libtorch was loaded from.</param>
    /// <exception cref="RunFailedException">It is not found; the text says where it was looked for.</exception>
    public static nint Load(string libtorchFolder) => Load(libtorchFolder, [.. LoadedFiles(), .. FilesNear(libtorchFolder), .. SystemNames]);

    /// <summary>Loads the first of some files that can be loaded.</summary>
    internal static nint Load(string libtorchFolder, IEnumerable<string> candidates)
    {
        foreach (var name in candidates)
        {
            if (NativeLibrary.TryLoad(name, out var library)) return library;
        }
        throw new RunFailedException(
            "CUDA's runtime library cannot be loaded: it was looked for among what this process has loaded, as "
                + $"{(OperatingSystem.IsWindows() ? "cudart64_*.dll" : "libcudart*.so*")} in {string.Join(", ", FoldersNear(libtorchFolder))}, and by the names "
                + string.Join(", ", SystemNames),
            null, null,
            $"point MEFT_LIBTORCH at a CUDA libtorch that brings it, or let the system find it (LD_LIBRARY_PATH), or set {DeviceLinks.CopiesVariable}=plain "
                + "to do without copies that run beside the computing");
    }

    /// <summary>The files near libtorch that look like the runtime: in its folder first, then in those of Python's wheels.</summary>
    internal static IEnumerable<string> FilesNear(string libtorchFolder) => FoldersNear(libtorchFolder)
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder).Where(IsRuntime).Order(StringComparer.Ordinal));

    /// <summary>libtorch's folder, and for <c>site-packages/torch/lib</c> those of <c>site-packages/nvidia</c>: one a library, or one for all of a CUDA version.</summary>
    private static IEnumerable<string> FoldersNear(string libtorchFolder)
    {
        yield return libtorchFolder;
        var wheels = Path.GetFullPath(Path.Combine(libtorchFolder, "..", "..", "nvidia"));
        foreach (var part in new[] { "cuda_runtime", "cu13", "cu12" })
            yield return Path.Combine(wheels, part, OperatingSystem.IsWindows() ? "bin" : "lib");
    }

    private static bool IsRuntime(string path)
    {
        var name = Path.GetFileName(path);
        return OperatingSystem.IsWindows()
            ? name.StartsWith("cudart64_", StringComparison.OrdinalIgnoreCase) && name.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)
            : name.StartsWith("libcudart", StringComparison.Ordinal) && name.Contains(".so", StringComparison.Ordinal);
    }

    private static List<string> LoadedFiles()
    {
        try
        {
            using var process = Process.GetCurrentProcess();
            return [.. process.Modules.Cast<ProcessModule>().Select(m => m.FileName).Where(IsRuntime)];
        }
        catch (Exception e) when (e is Win32Exception or NotSupportedException or InvalidOperationException)
        {
            return [];
        }
    }
}
