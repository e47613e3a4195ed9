namespace Meft.Training.Runs.Checkpoints;

/// <summary>Removes checkpoints that nobody needs. What cannot be removed stays, and the next save tries again.</summary>
/// <param name="places">Where they lie.</param>
/// <param name="keep">How many of the newest stay; the best one and the full ones that these need stay beside them.</param>
/// <param name="disk">The disk.</param>
internal sealed class CheckpointPruning(CheckpointPlaces places, int keep, ICheckpointDisk disk)
{
    /// <summary>
    /// Removes what is not among the newest, the best, and the full ones that these need. An incremental one goes before the full one it needs, for what
    /// is newer goes first.
    /// </summary>
    public void RemoveSurplus(int newest)
    {
        var manifests = places.Manifests();
        var kept = manifests.Where(m => m.Step <= newest && !m.OnlyAsBest).OrderByDescending(m => m.Step).Take(keep).ToList();
        if (CheckpointPlaces.Best(manifests.Where(m => m.Step <= newest)) is { } best) kept.Add(best);
        var needed = kept.Select(m => m.Step).Concat(kept.Select(m => m.BaseStep).OfType<int>()).ToHashSet();
        var readable = manifests.Select(m => m.Step).ToHashSet();
        foreach (var (step, folder, complete) in places.All().OrderByDescending(p => p.Step))
        {
            // One whose manifest cannot be read may be needed by nobody; it goes when those beside it do.
            var goes = !complete || step > newest || (readable.Contains(step) ? !needed.Contains(step) : step < needed.Min());
            if (goes && step != newest) RemoveQuietly(folder);
        }
    }

    /// <summary>Removes what was never completed: a process was killed as it saved or removed a checkpoint.</summary>
    /// <param name="except">The step that is about to be saved; null for none.</param>
    public void RemoveIncomplete(int? except = null)
    {
        foreach (var place in places.All().Where(p => !p.Complete && p.Step != except)) RemoveQuietly(place.Path);
    }

    /// <summary>Makes a step's folder ready to be written: half-written files that a killed process left may be as large as a checkpoint.</summary>
    /// <exception cref="IOException">A file cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be removed.</exception>
    public void RemoveHalfWritten(int step)
    {
        if (!Directory.Exists(places.Of(step))) return;
        foreach (var file in Directory.EnumerateFiles(places.Of(step), "*.tmp")) disk.RemoveFile(file);
    }

    /// <summary>The manifest goes first, so that a removal cut short leaves an incomplete checkpoint and not a broken one.</summary>
    public void RemoveQuietly(string folder)
    {
        try
        {
            disk.RemoveFile(Path.Combine(folder, CheckpointManifest.FileName));
            disk.RemoveFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left has no manifest: it counts as incomplete and the next save tries again.
        }
    }
}
