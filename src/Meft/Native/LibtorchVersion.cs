using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace Meft.Native;

/// <summary>
/// The version of the libtorch that is loaded. libtorch has no function that says it and TorchSharp answers with the version that it was built for; what lies
/// beside the libraries knows better: <c>version.py</c> of a Python install, <c>build-version</c> of an unpacked libtorch, the folder that a NuGet package's
/// version names. The package beside the program has none of these and is of TorchSharp's version.
/// </summary>
internal static partial class LibtorchVersion
{
    /// <summary>The version, such as "2.11.0+cu130".</summary>
    /// <param name="folder">The folder of the libraries.</param>
    /// <param name="packaged">Whether it is the package beside the program.</param>
    public static string Of(string folder, bool packaged)
    {
        if (packaged) return __version__;
        var above = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder)) ?? folder;
        foreach (var (file, pattern) in new[] { ("version.py", PythonVersion()), ("build-version", PlainVersion()) })
        {
            if (Text(Path.Combine(above, file)) is { } text && pattern.Match(text) is { Success: true } match) return match.Groups[1].Value;
        }
        // …/libtorch-cuda-12.8-linux-x64/2.10.0/runtimes/linux-x64/native
        var package = Path.GetDirectoryName(Path.GetDirectoryName(above));
        if (Path.GetFileName(Path.GetDirectoryName(above)) == "runtimes" && PlainVersion().Match(Path.GetFileName(package) ?? "") is { Success: true } named)
            return named.Groups[1].Value;
        return $"unknown, TorchSharp is built for {__version__}";
    }

    private static string? Text(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [GeneratedRegex("""^__version__\s*=\s*['"]([^'"\s]+)['"]""", RegexOptions.Multiline)]
    private static partial Regex PythonVersion();

    [GeneratedRegex("""\A\s*(\d[^\s]*)\s*\z""")]
    private static partial Regex PlainVersion();
}
