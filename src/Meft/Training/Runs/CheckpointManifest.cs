using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Training.Runs;

/// <summary>A checkpoint's <c>manifest.json</c>: written last, so that its presence says that the checkpoint is complete.</summary>
internal sealed record CheckpointManifest
{
    public const string FileName = "manifest.json";
    public const int CurrentVersion = 1;
    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true };

    public required int FormatVersion { get; init; }

    public required int Step { get; init; }

    /// <summary>Bytes of the state file: a state that was cut off later is recognised.</summary>
    public required long StateBytes { get; init; }

    public void Write(string folder) =>
        AtomicFile.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>Reads a checkpoint's manifest.</summary>
    /// <exception cref="InvalidInputException">It is no manifest, or one of a newer version.</exception>
    public static CheckpointManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        CheckpointManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<CheckpointManifest>(File.ReadAllText(path), Json);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                "the file is not the manifest of a checkpoint: it cannot be read, is no JSON, or lacks format_version, step or state_bytes", path, null, null, e);
        }
        if (manifest is null) throw new InvalidInputException("the file is not the manifest of a checkpoint: it holds null", path);
        if (manifest.FormatVersion > CurrentVersion)
        {
            throw new InvalidInputException(
                $"the checkpoint has format version {manifest.FormatVersion}", path, $"up to {CurrentVersion}", "use a newer version of meft");
        }
        return manifest;
    }
}
