using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Meft.Core.Errors;
using Meft.Kernels;
using TorchSharp;

namespace Meft.Training.Runs;

/// <summary>A run's <c>manifest.json</c>: what ran, on what, over which files.</summary>
public sealed record RunManifest
{
    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true };

    /// <summary>The program's version.</summary>
    public string MeftVersion { get; init; } = VersionOf(typeof(RunManifest).Assembly);

    /// <summary>TorchSharp's version.</summary>
    public string TorchSharpVersion { get; init; } = VersionOf(typeof(torch).Assembly);

    /// <summary>libtorch's version.</summary>
    public string LibtorchVersion { get; init; } = torch.__version__;

    /// <summary>The .NET runtime.</summary>
    public string Runtime { get; init; } = RuntimeInformation.FrameworkDescription;

    /// <summary>The operating system.</summary>
    public string System { get; init; } = RuntimeInformation.OSDescription;

    /// <summary>Threads of the kernels and of libtorch; other counts may give other bits.</summary>
    public int Threads { get; init; } = KernelThreads.Count;

    /// <summary>The seed.</summary>
    public required long Seed { get; init; }

    /// <summary>Where the base ran.</summary>
    public required string Device { get; init; }

    /// <summary>What travels between host and device: <c>rows</c> or <c>activations</c>; null for methods where nothing does.</summary>
    public required string? Execution { get; init; }

    /// <summary>SHA-256 of the base model's files by name.</summary>
    public required IReadOnlyDictionary<string, string> Model { get; init; }

    /// <summary>SHA-256 of the data files by path.</summary>
    public required IReadOnlyDictionary<string, string> Data { get; init; }

    /// <summary>SHA-256 of the chat template; null where the model has none.</summary>
    public required string? Template { get; init; }

    /// <summary>The manifest as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>Reads a run's manifest.</summary>
    /// <exception cref="InvalidInputException">It is missing or is none.</exception>
    public static RunManifest Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<RunManifest>(File.ReadAllText(path), Json) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException("the run's manifest is missing or is none", path, null, "start the run anew", e);
        }
    }

    /// <summary>Refuses to go on where the model's or the data's files are others than those the run began with.</summary>
    /// <exception cref="InvalidInputException">A file differs; it is named.</exception>
    internal void RequireSameFiles(RunManifest now)
    {
        var model = now.Model.FirstOrDefault(f => Model.GetValueOrDefault(f.Key) != f.Value).Key;
        if (model is not null) throw Differs($"the model's {model}");
        var data = now.Data.Zip(Data).FirstOrDefault(pair => pair.First.Value != pair.Second.Value).First.Key;
        if (data is not null || now.Data.Count != Data.Count) throw Differs($"the data file {data}");
    }

    /// <summary>What differs from the machine the run began on and may change bits.</summary>
    internal IEnumerable<string> Differences(RunManifest now)
    {
        if (Threads != now.Threads) yield return $"the run began with {Threads} threads and goes on with {now.Threads}: the bits may differ";
        if (Device != now.Device) yield return $"the run began on {Device} and goes on on {now.Device}: the bits may differ";
        if (Execution != now.Execution) yield return $"the run began with execution {Execution} and goes on with {now.Execution}: the bits may differ";
        if (LibtorchVersion != now.LibtorchVersion)
            yield return $"the run began with libtorch {LibtorchVersion} and goes on with {now.LibtorchVersion}: the bits may differ";
    }

    private static InvalidInputException Differs(string what) => new(
        $"{what} is not the one the run began with (its SHA-256 differs)", null, null, "put the original back, or start another run in another output");

    /// <summary>SHA-256 of a file, hexadecimal.</summary>
    /// <exception cref="InvalidInputException">The file cannot be read.</exception>
    public static string HashOf(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the file cannot be read: {e.Message}", file, null, null, e);
        }
    }

    /// <summary>SHA-256 of a text in UTF-8, hexadecimal.</summary>
    public static string HashOfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
