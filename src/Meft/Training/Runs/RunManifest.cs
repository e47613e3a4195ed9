using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Errors;
using Meft.Native;
using TorchSharp;

namespace Meft.Training.Runs;

/// <summary>A run's <c>manifest.json</c>: what ran, on what, over which files.</summary>
public sealed record RunManifest
{
    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true };

    /// <summary>The version of this file's form.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The form's version; a file without one has the first.</summary>
    public int FormatVersion { get; init; } = CurrentVersion;

    /// <summary>The program's version.</summary>
    public string MeftVersion { get; init; } = VersionOf(typeof(RunManifest).Assembly);

    /// <summary>TorchSharp's version.</summary>
    public string TorchSharpVersion { get; init; } = VersionOf(typeof(torch).Assembly);

    /// <summary>libtorch's version.</summary>
    public string LibtorchVersion { get; init; } = VersionOfLibtorch();

    /// <summary>The .NET runtime.</summary>
    public string Runtime { get; init; } = RuntimeInformation.FrameworkDescription;

    /// <summary>The operating system.</summary>
    public string System { get; init; } = RuntimeInformation.OSDescription;

    /// <summary>Threads of the kernels and of libtorch; other counts may give other bits.</summary>
    public int Threads { get; init; } = ComputeThreads.InUse;

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

    /// <summary>SHA-256 of the adapter file that <c>method.init</c> named; null where none was.</summary>
    public string? Init { get; init; }

    /// <summary>The parts in which the run was resumed, in the order of time.</summary>
    public IReadOnlyList<RunPart> Resumed { get; init; } = [];

    /// <summary>The part that the run began with.</summary>
    [JsonIgnore]
    public RunPart Beginning => new(0, Threads, Device, Execution, LibtorchVersion);

    /// <summary>The parts that computed the steps between two of them, in order: at least one.</summary>
    internal IReadOnlyList<RunPart> PartsBetween(int fromStep, int toStep)
    {
        // A part that began at an earlier step than one before it took that one's steps anew.
        var standing = new Stack<RunPart>([Beginning]);
        foreach (var part in Resumed)
        {
            while (standing.Count > 0 && standing.Peek().AfterStep >= part.AfterStep) standing.Pop();
            standing.Push(part);
        }
        var parts = standing.Reverse().ToList();
        var first = Math.Max(0, parts.FindLastIndex(p => p.AfterStep <= fromStep));
        return [.. parts.Skip(first).TakeWhile(p => p.AfterStep < toStep)];
    }

    /// <summary>The manifest as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    /// <summary>Reads a run's manifest.</summary>
    /// <exception cref="InvalidInputException">It is missing, is none, or is one of a newer version.</exception>
    public static RunManifest Read(string path)
    {
        RunManifest manifest;
        try
        {
            var text = File.ReadAllText(path);
            RequireKnownVersion(text, path);
            manifest = JsonSerializer.Deserialize<RunManifest>(text, Json) ?? throw new JsonException("null");
            // The serializer holds properties to what they may be, not what lies in lists.
            if (manifest.Model.Values.Concat(manifest.Data.Values).Any(hash => hash is null) || manifest.Resumed.Any(part => part is null))
                throw new JsonException("the hash of a file, or a part that was resumed, is null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException) // the second: a key that is no Unicode
        {
            throw new InvalidInputException(
                $"the run's manifest is missing or is none: {e.Message.TrimEnd('.')}", path, null, "put the original back, or start the run anew", e);
        }
        return manifest;
    }

    /// <summary>Refuses to go on where the model's or the data's files are others than those the run began with.</summary>
    /// <exception cref="InvalidInputException">Files differ; each is named.</exception>
    internal void RequireSameFiles(RunManifest now)
    {
        var differing = ModelDifferences(now).Concat(DataDifferences(now)).ToList();
        if (Init != now.Init) differing.Add("the adapter that method.init names");
        if (differing.Count == 0) return;
        throw new InvalidInputException(
            $"the run began with other files: {string.Join("; ", differing)}", null, "files with the SHA-256 that the run's manifest.json holds",
            "put the originals back, or start another run in another output");
    }

    private IEnumerable<string> ModelDifferences(RunManifest now)
    {
        foreach (var name in Model.Keys.Union(now.Model.Keys).Order(StringComparer.Ordinal))
        {
            var (before, after) = (Model.GetValueOrDefault(name), now.Model.GetValueOrDefault(name));
            if (before is null) yield return $"the model's {name} was not there";
            else if (after is null) yield return $"the model's {name} is gone";
            else if (before != after) yield return $"the model's {name} is another one {Hashes(before, after)}";
        }
    }

    /// <summary>Data files are compared in their order: their paths may have changed.</summary>
    private IEnumerable<string> DataDifferences(RunManifest now)
    {
        if (now.Data.Count != Data.Count)
        {
            yield return $"it had {Data.Count} data files ({string.Join(", ", Data.Keys)}) and has {now.Data.Count} now ({string.Join(", ", now.Data.Keys)})";
            yield break;
        }
        foreach (var (before, after) in Data.Zip(now.Data))
        {
            if (before.Value != after.Value) yield return $"the data file {after.Key} is another one {Hashes(before.Value, after.Value)}";
        }
    }

    private static string Hashes(string before, string now) => $"(SHA-256 {Short(before)}… then, {Short(now)}… now)";

    private static string Short(string hash) => hash.Length > 12 ? hash[..12] : hash;

    private static void RequireKnownVersion(string text, string path)
    {
        using var json = JsonDocument.Parse(text);
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("format_version", out var version)) return;
        if (version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number <= CurrentVersion) return;
        throw new InvalidInputException(
            $"the run's manifest has format version {version.GetRawText()}", path, $"up to {CurrentVersion}", "use the version of meft that wrote it, or a newer one");
    }

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

    /// <summary>A manifest may be read before anything else needs libtorch.</summary>
    private static string VersionOfLibtorch() => NativeTorch.Load().LibtorchVersion;

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
