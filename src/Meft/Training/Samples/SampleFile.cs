using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Training.Samples;

/// <summary>A run's <c>samples.jsonl</c>.</summary>
public static class SampleFile
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>All samples of a file in order, none where there is no file; lines that are none (cut off by a crash) are left out.</summary>
    public static IReadOnlyList<Sample> ReadAll(string path)
    {
        if (!File.Exists(path)) return [];
        var samples = new List<Sample>();
        foreach (var line in File.ReadLines(path))
        {
            try
            {
                if (JsonSerializer.Deserialize<Sample>(line, Json) is { Prompt: not null, Text: not null } sample) samples.Add(sample);
            }
            catch (JsonException)
            {
                // No line of this program's making: it belongs to no step.
            }
        }
        return samples;
    }

    /// <summary>Removes the samples of steps that a resumed run takes again.</summary>
    /// <param name="path">The file; nothing is done where it is missing.</param>
    /// <param name="step">The last step whose samples stay.</param>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    internal static void KeepThrough(string path, int step)
    {
        if (!File.Exists(path)) return;
        AtomicFile.WriteAllText(path, string.Concat(ReadAll(path).Where(s => s.Step <= step).Select(Line)));
    }

    /// <summary>Adds a step's samples, all of them or none.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    internal static void Append(string path, IEnumerable<Sample> samples)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
            file.Write(Encoding.UTF8.GetBytes(string.Concat(samples.Select(Line))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the samples cannot be written: {e.Message}", path, null, "check the disk's free space and the folder's permissions", e);
        }
    }

    private static string Line(Sample sample) => JsonSerializer.Serialize(sample, Json) + "\n";
}
