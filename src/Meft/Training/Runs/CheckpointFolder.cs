using System.Globalization;
using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;
using Meft.Host;

namespace Meft.Training.Runs;

/// <summary>
/// The checkpoints of a run: folders <c>step-000200</c> with <c>state.safetensors</c> (masters and moments) and <c>manifest.json</c>. One without
/// its manifest is incomplete: it is never loaded, and the next save clears it away.
/// </summary>
/// <param name="path">The folder that holds them.</param>
/// <param name="keep">How many of the newest stay.</param>
public sealed class CheckpointFolder(string path, int keep)
{
    private const string Prefix = "step-";
    private const string StateFileName = "state.safetensors";

    /// <summary>The steps of the complete checkpoints, ascending.</summary>
    public IReadOnlyList<int> Steps => [.. Folders().Where(f => f.Complete).Select(f => f.Step).Order()];

    /// <summary>Names of checkpoint folders that were never completed.</summary>
    public IReadOnlyList<string> Incomplete => [.. Folders().Where(f => !f.Complete).Select(f => Path.GetFileName(f.Path)).Order(StringComparer.Ordinal)];

    /// <summary>Saves a method's full state, then removes checkpoints beyond those to keep.</summary>
    /// <param name="step">After how many steps.</param>
    /// <param name="method">Whose state.</param>
    /// <param name="progress">The loop's small state; null for none.</param>
    /// <returns>The new checkpoint's folder.</returns>
    /// <exception cref="RunFailedException">It cannot be written (a full disk, say); the older ones are as they were.</exception>
    public string Save(int step, ITrainedMethod method, TrainingProgress? progress = null)
    {
        var folder = FolderOf(step);
        try
        {
            Directory.CreateDirectory(folder);
            File.Delete(Path.Combine(folder, CheckpointManifest.FileName));
            var state = Path.Combine(folder, StateFileName);
            WriteState(state, method);
            new CheckpointManifest
            {
                FormatVersion = CheckpointManifest.CurrentVersion,
                Step = step,
                StateBytes = new FileInfo(state).Length,
                Progress = progress,
            }.Write(folder);
        }
        catch (Exception e)
        {
            RemoveQuietly(folder);
            if (e is not (IOException or UnauthorizedAccessException)) throw;
            throw new RunFailedException(
                $"the checkpoint cannot be written: {e.Message}", folder, null, "earlier checkpoints are as they were; make room or check permissions", e);
        }
        foreach (var old in Folders().Where(f => f.Step != step && (!f.Complete || IsSurplus(f.Step, step)))) RemoveQuietly(old.Path);
        return folder;
    }

    /// <summary>Loads a checkpoint into a method of the same kind and sizes.</summary>
    /// <exception cref="InvalidInputException">The checkpoint is incomplete, damaged, or another method's.</exception>
    public void Load(int step, ITrainedMethod method)
    {
        var folder = FolderOf(step);
        if (!File.Exists(Path.Combine(folder, CheckpointManifest.FileName)))
            throw new InvalidInputException("the checkpoint is incomplete: it has no manifest", folder);
        var manifest = CheckpointManifest.Read(folder);
        var state = Path.Combine(folder, StateFileName);
        var bytes = File.Exists(state) ? new FileInfo(state).Length : 0;
        if (bytes != manifest.StateBytes)
            throw new InvalidInputException($"the checkpoint's state has {bytes} bytes, its manifest says {manifest.StateBytes}", state);
        using var file = SafetensorsFile.Open(state);
        foreach (var (name, shape, matrix) in Tensors(method)) HostMatrixFiles.Read(file, name, shape, matrix);
        method.ApplyMasters();
    }

    /// <summary>The loop's small state at a checkpoint; that of no step where none was saved with it.</summary>
    /// <exception cref="InvalidInputException">The checkpoint is incomplete or its manifest damaged.</exception>
    public TrainingProgress ProgressAt(int step) => CheckpointManifest.Read(FolderOf(step)).Progress ?? TrainingProgress.None;

    /// <summary>Loads the newest checkpoint that can be loaded.</summary>
    /// <param name="method">A method of the same kind and sizes.</param>
    /// <param name="remark">Told of every checkpoint that is passed over, and why.</param>
    /// <returns>Its step; 0 where there is no checkpoint at all.</returns>
    /// <exception cref="InvalidInputException">There are checkpoints and none can be loaded: the newest one's error.</exception>
    public int LoadNewest(ITrainedMethod method, Action<string> remark)
    {
        foreach (var name in Incomplete) remark($"the checkpoint {name} is incomplete and is passed over");
        InvalidInputException? first = null;
        foreach (var step in Steps.Reverse())
        {
            try
            {
                Load(step, method);
                return step;
            }
            catch (InvalidInputException e)
            {
                first ??= e;
                remark($"the checkpoint of step {step} is passed over: {e.Message}");
            }
        }
        return first is null ? 0 : throw first;
    }

    /// <summary>Clears away what was never completed: a process was killed as it saved or removed a checkpoint.</summary>
    public void RemoveIncomplete()
    {
        foreach (var folder in Folders().Where(f => !f.Complete)) RemoveQuietly(folder.Path);
    }

    private static void WriteState(string state, ITrainedMethod method)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, shape, matrix) in Tensors(method)) HostMatrixFiles.Add(writer, name, shape, matrix);
        writer.Save(state);
    }

    private static IEnumerable<(string Name, IReadOnlyList<long> Shape, HostMatrix Matrix)> Tensors(ITrainedMethod method) =>
        method.Matrices.SelectMany(m => new[]
        {
            (m.Name, m.Shape, m.Rows.Weights),
            ("exp_avg." + m.Name, m.Shape, m.Rows.FirstMoments),
            ("exp_avg_sq." + m.Name, m.Shape, m.Rows.SecondMoments),
        });

    private bool IsSurplus(int step, int newest) =>
        step > newest || Steps.Where(s => s <= newest).OrderDescending().Skip(Math.Max(1, keep)).Contains(step);

    private string FolderOf(int step) => Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D6}"));

    private List<(int Step, string Path, bool Complete)> Folders()
    {
        if (!Directory.Exists(path)) return [];
        var folders = new List<(int, string, bool)>();
        foreach (var folder in Directory.EnumerateDirectories(path, Prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step))
                folders.Add((step, folder, File.Exists(Path.Combine(folder, CheckpointManifest.FileName))));
        }
        return folders;
    }

    /// <summary>The manifest goes first, so that a removal cut short leaves an incomplete checkpoint and not a broken one.</summary>
    private static void RemoveQuietly(string folder)
    {
        try
        {
            File.Delete(Path.Combine(folder, CheckpointManifest.FileName));
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left has no manifest: it counts as incomplete and the next save tries again.
        }
    }
}
