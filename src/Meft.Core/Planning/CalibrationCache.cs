using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Core.Planning;

/// <summary>
/// Calibrations in the user's cache folder, a file each. What cannot be read is measured again; what cannot be written is measured
/// again the next time: a cache is never a reason to fail.
/// </summary>
/// <param name="folder">The folder; made where it is not there.</param>
public sealed class CalibrationCache(string folder)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The cache of this user, in the folder of <see cref="UserCache"/>.</summary>
    public static CalibrationCache OfUser() => new(UserCache.Folder());

    /// <summary>The file of a key.</summary>
    public string PathOf(CalibrationKey key)
    {
        var text = JsonSerializer.Serialize(key, Json);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
        return Path.Combine(folder, $"calibration-{hash}.json");
    }

    /// <summary>The calibration of a key: the stored one, or a new one, which is stored.</summary>
    /// <param name="key">What it shall hold for.</param>
    /// <param name="measure">Measures anew.</param>
    public Calibration GetOrMeasure(CalibrationKey key, Func<Calibration> measure)
    {
        if (TryRead(key) is { } stored) return stored;
        var measured = measure();
        TryWrite(measured);
        return measured;
    }

    private Calibration? TryRead(CalibrationKey key)
    {
        try
        {
            var file = PathOf(key);
            if (!File.Exists(file)) return null;
            var stored = JsonSerializer.Deserialize<Calibration>(File.ReadAllText(file), Json);
            return stored is not null && stored.Key == key && stored.IsSane ? stored : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void TryWrite(Calibration calibration)
    {
        try
        {
            Directory.CreateDirectory(folder);
            AtomicFile.WriteAllText(PathOf(calibration.Key), JsonSerializer.Serialize(calibration, Json) + "\n");
        }
        catch (Exception e) when (e is MeftException or IOException or UnauthorizedAccessException)
        {
            // Measured again the next time.
        }
    }
}
