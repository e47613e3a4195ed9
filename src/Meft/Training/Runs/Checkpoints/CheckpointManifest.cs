using System.Text;
using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>A checkpoint's file of tensors.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="Header">The checksum of what comes before the first tensor's data; null in version 1, which has none.</param>
/// <param name="Tensors">The checksum of every tensor's data by name.</param>
internal sealed record StateFile(long Bytes, string? Header, IReadOnlyDictionary<string, string> Tensors);

/// <summary>
/// A checkpoint's <c>manifest.json</c>: written last, so that its presence says that the checkpoint is complete. Its own checksum is taken over its text
/// with zeros in the checksum's place.
/// </summary>
internal sealed record CheckpointManifest
{
    public const string FileName = "manifest.json";
    public const int CurrentVersion = 2;

    private static readonly string NoChecksum = new('0', FileChecksum.Digits);

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter<CheckpointKind>(JsonNamingPolicy.SnakeCaseLower) },
    };

    public int FormatVersion { get; init; } = CurrentVersion;

    public required int Step { get; init; }

    public CheckpointKind Kind { get; init; }

    /// <summary>The full checkpoint that an incremental one needs.</summary>
    public int? BaseStep { get; init; }

    /// <summary>The checksum of that one's manifest: another in its place is not it.</summary>
    public string? BaseChecksum { get; init; }

    /// <summary>The how manieth incremental one on that full one; 0 for a full one.</summary>
    public int Increment { get; init; }

    /// <summary>Whether it was saved only because its validation loss was the least so far.</summary>
    public bool OnlyAsBest { get; init; }

    /// <summary>Whose it is; null where that was not said.</summary>
    public CheckpointOwner? Owner { get; init; }

    /// <summary>The loop's small state; null where none was saved.</summary>
    public TrainingProgress? Progress { get; init; }

    public required StateFile State { get; init; }

    public string ChecksumKind { get; init; } = FileChecksum.Kind;

    /// <summary>The checksum of this manifest; the last of its fields.</summary>
    public string Checksum { get; init; } = NoChecksum;

    /// <summary>Whether the validation loss was measured right at this step and was the least so far.</summary>
    public bool IsBestSoFar => Progress?.BestValidationStep == Step && Progress.BestValidationLoss is not null;

    /// <summary>The file's text, with its checksum, and that checksum.</summary>
    public (string Text, string Checksum) ToText()
    {
        var text = JsonSerializer.Serialize(this with { Checksum = NoChecksum }, Json) + "\n";
        var sum = FileChecksum.Of(Encoding.UTF8.GetBytes(text));
        return (WithChecksum(text, NoChecksum, sum), sum);
    }

    /// <summary>Reads a checkpoint's manifest.</summary>
    /// <param name="folder">The checkpoint's folder.</param>
    /// <exception cref="InvalidInputException">It is missing, no manifest, damaged, or one of a newer version.</exception>
    public static CheckpointManifest Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) throw new InvalidInputException("the checkpoint is incomplete: it has no manifest", folder);
        try
        {
            var text = File.ReadAllText(path);
            return Version(text, path) == 1 ? FirstVersion(text) : Checked(text, path);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the second: a key that is no Unicode, a field of another type
        {
            throw new InvalidInputException(
                $"the file is not the manifest of a checkpoint: it is no JSON or lacks a field ({e.Message.TrimEnd('.')})", path, null, null, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"the checkpoint's manifest cannot be read: {e.Message}", path, null, null, e);
        }
    }

    /// <summary>Reads a checkpoint's manifest; null where it cannot be read.</summary>
    public static CheckpointManifest? TryRead(string folder)
    {
        try
        {
            return Read(folder);
        }
        catch (InvalidInputException)
        {
            return null;
        }
    }

    /// <summary>The version comes first: what else a newer one holds is not known.</summary>
    private static int Version(string text, string path)
    {
        using var json = JsonDocument.Parse(text);
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("format_version", out var field)
            || field.ValueKind != JsonValueKind.Number || !field.TryGetInt32(out var version) || version < 1)
        {
            throw new JsonException("there is no format_version");
        }
        if (version <= CurrentVersion) return version;
        throw new InvalidInputException($"the checkpoint has format version {version}", path, $"up to {CurrentVersion}", "use a newer version of meft");
    }

    private static CheckpointManifest Checked(string text, string path)
    {
        var manifest = JsonSerializer.Deserialize<CheckpointManifest>(text, Json) ?? throw new JsonException("null");
        if (FileChecksum.Of(Encoding.UTF8.GetBytes(WithChecksum(text, manifest.Checksum, NoChecksum))) != manifest.Checksum)
            throw new InvalidInputException("the checkpoint's manifest is damaged: its checksum is not that of its text", path);
        return manifest;
    }

    private static CheckpointManifest FirstVersion(string text)
    {
        using var json = JsonDocument.Parse(text);
        if (!json.RootElement.TryGetProperty("step", out var step) || !step.TryGetInt32(out var number)
            || !json.RootElement.TryGetProperty("state_bytes", out var bytes) || !bytes.TryGetInt64(out var length))
        {
            throw new JsonException("version 1 has step and state_bytes");
        }
        return new CheckpointManifest { FormatVersion = 1, Step = number, State = new StateFile(length, null, new Dictionary<string, string>()) };
    }

    /// <summary>The text with the last place of one checksum taken by another.</summary>
    private static string WithChecksum(string text, string there, string instead)
    {
        var place = text.LastIndexOf($"\"{there}\"", StringComparison.Ordinal);
        return place < 0 ? text : string.Concat(text.AsSpan(0, place + 1), instead, text.AsSpan(place + 1 + there.Length));
    }
}
