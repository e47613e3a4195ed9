using System.Globalization;

namespace Meft.Training.Runs.Checkpoints;

/// <summary>One checkpoint's folder.</summary>
/// <param name="Step">After how many steps.</param>
/// <param name="Path">The folder.</param>
/// <param name="Complete">Whether its manifest is there.</param>
internal readonly record struct CheckpointPlace(int Step, string Path, bool Complete);

/// <summary>Where the checkpoints of a run lie: <c>step-000200</c> and so on. It looks at the disk each time.</summary>
/// <param name="path">The folder that holds them; it need not be there yet.</param>
internal sealed class CheckpointPlaces(string path)
{
    private const string Prefix = "step-";

    /// <summary>The folder that holds them.</summary>
    public string Path => path;

    /// <summary>The folder of a step's checkpoint, there or not.</summary>
    public string Of(int step) => System.IO.Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D6}"));

    /// <summary>Those that are there, complete or not, in no order.</summary>
    public List<CheckpointPlace> All()
    {
        if (!Directory.Exists(path)) return [];
        var places = new List<CheckpointPlace>();
        foreach (var folder in Directory.EnumerateDirectories(path, Prefix + "*"))
        {
            if (int.TryParse(System.IO.Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step))
                places.Add(new CheckpointPlace(step, folder, File.Exists(System.IO.Path.Combine(folder, CheckpointManifest.FileName))));
        }
        return places;
    }

    /// <summary>The manifests that can be read.</summary>
    public List<CheckpointManifest> Manifests() =>
        [.. All().Where(p => p.Complete).Select(p => CheckpointManifest.TryRead(p.Path)).OfType<CheckpointManifest>()];

    /// <summary>The one with the least validation loss, of those saved right when it was measured; null where there is none.</summary>
    public static CheckpointManifest? Best(IEnumerable<CheckpointManifest> manifests) =>
        manifests.Where(m => m.IsBestSoFar).OrderBy(m => m.Progress!.BestValidationLoss).ThenBy(m => m.Step).FirstOrDefault();
}
