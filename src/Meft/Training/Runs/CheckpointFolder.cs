using System.Diagnostics;
using System.Globalization;
using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Host;
using Meft.Training.Runs.Checkpoints;

namespace Meft.Training.Runs;

/// <summary>
/// The checkpoints of a run (docs/checkpoints.md): folders <c>step-000200</c> with <c>state.safetensors</c> (masters and moments) and
/// <c>manifest.json</c>. One without its manifest is incomplete: it is never loaded, and the next save clears it away. An incremental one holds the rows
/// that have changed since a full one, which stays as long as it is needed.
/// </summary>
public sealed class CheckpointFolder
{
    /// <summary>Incremental checkpoints on one full one, at most: a full one that is damaged costs no more than these.</summary>
    internal const int MostIncrements = 10;

    private const long ManifestBytes = 1 << 16;
    private readonly CheckpointPlaces _places;
    private readonly CheckpointPruning _pruning;
    private readonly IncrementalCheckpoints _incremental;
    private readonly ICheckpointDisk _disk;

    /// <param name="path">The folder that holds them.</param>
    /// <param name="keep">How many of the newest stay; the one with the least validation loss stays beside them.</param>
    /// <param name="incremental">Whether those between two full ones hold only the rows that have changed since.</param>
    public CheckpointFolder(string path, int keep, IncrementalCheckpoints incremental = IncrementalCheckpoints.Auto)
        : this(path, keep, incremental, new CheckpointDisk())
    {
    }

    internal CheckpointFolder(string path, int keep, IncrementalCheckpoints incremental, ICheckpointDisk disk)
    {
        (_places, _incremental, _disk) = (new CheckpointPlaces(path), incremental, disk);
        _pruning = new CheckpointPruning(_places, Math.Max(1, keep), disk);
    }

    /// <summary>Whose checkpoints these are: written into each, and one of another's is not loaded. Null where nobody asks.</summary>
    public CheckpointOwner? Owner { get; set; }

    /// <summary>The steps of the complete checkpoints, ascending.</summary>
    public IReadOnlyList<int> Steps => [.. _places.All().Where(f => f.Complete).Select(f => f.Step).Order()];

    /// <summary>Names of checkpoint folders that were never completed.</summary>
    public IReadOnlyList<string> Incomplete => [.. _places.All().Where(f => !f.Complete).Select(f => Path.GetFileName(f.Path)).Order(StringComparer.Ordinal)];

    /// <summary>The step of the checkpoint with the least validation loss, of those that were saved right when it was measured; null where there is none.</summary>
    public int? BestStep => CheckpointPlaces.Best(_places.Manifests())?.Step;

    /// <summary>Saves a method's state, then removes checkpoints beyond those to keep.</summary>
    /// <param name="step">After how many steps.</param>
    /// <param name="method">Whose state.</param>
    /// <param name="progress">The loop's small state; null for none. The checkpoint of its best validation loss stays.</param>
    /// <returns>The new checkpoint's folder.</returns>
    /// <exception cref="RunFailedException">It cannot be written (a full disk, say); the older ones are as they were.</exception>
    public string Save(int step, ITrainedMethod method, TrainingProgress? progress = null)
    {
        using var content = Prepare(step, method, progress);
        return Write(content).Folder;
    }

    /// <summary>Loads a checkpoint into a method of the same kind and sizes, an incremental one on top of its full one.</summary>
    /// <exception cref="InvalidInputException">
    /// The checkpoint is incomplete, damaged, of a newer version, or another run's. The method then holds no state of any step: load another.
    /// </exception>
    public void Load(int step, ITrainedMethod method)
    {
        var folder = _places.Of(step);
        var manifest = CheckpointManifest.Read(folder);
        if (manifest.Step != step) throw new InvalidInputException($"the checkpoint's manifest is that of step {manifest.Step}", folder);
        if (Owner is not null) manifest.Owner?.RequireSame(Owner, folder);
        var (full, fullFolder) = manifest.Kind == CheckpointKind.Full ? (manifest, folder) : BaseOf(manifest, folder);
        using (var state = new StateFileReader(fullFolder, full.State)) state.ReadAll(method.Matrices);
        Restart(method, new FullCheckpoint(this, full.Step) { Checksum = full.FormatVersion > 1 ? full.Checksum : null, Increments = manifest.Increment });
        if (manifest.Kind == CheckpointKind.Incremental)
        {
            using var rows = new StateFileReader(folder, manifest.State);
            rows.ReadRows(method.Matrices);
        }
        method.ApplyMasters();
    }

    /// <summary>The loop's small state at a checkpoint; that of no step where none was saved with it.</summary>
    /// <exception cref="InvalidInputException">The checkpoint is incomplete or its manifest damaged.</exception>
    public TrainingProgress ProgressAt(int step) => CheckpointManifest.Read(_places.Of(step)).Progress ?? TrainingProgress.None;

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
    public void RemoveIncomplete() => _pruning.RemoveIncomplete();

    /// <summary>
    /// What a checkpoint of the state as it is now is to hold: the rows that have changed since the last full one where that is complete, not used up, and
    /// the rows take no more than half of the whole; else all of it, and changes count from it.
    /// </summary>
    internal CheckpointContent Prepare(int step, ITrainedMethod method, TrainingProgress? progress, bool onlyAsBest = false)
    {
        if (UsableMark(step, method) is { } mark) return CheckpointContent.Since(mark, step, method, progress, onlyAsBest);
        mark = new FullCheckpoint(this, step);
        Restart(method, mark);
        return CheckpointContent.Full(step, mark, method, progress, onlyAsBest);
    }

    /// <summary>Writes a checkpoint, then removes those beyond the ones to keep. May run beside the training loop.</summary>
    /// <exception cref="RunFailedException">It cannot be written; the older ones are as they were.</exception>
    internal SavedCheckpoint Write(CheckpointContent content)
    {
        var began = Stopwatch.GetTimestamp();
        var folder = _places.Of(content.Step);
        CheckpointManifest manifest;
        try
        {
            _disk.CreateFolder(_places.Path);
            _pruning.RemoveIncomplete(except: content.Step);
            _pruning.RemoveHalfWritten(content.Step);
            RequireRoom(content);
            _disk.RemoveFile(Path.Combine(folder, CheckpointManifest.FileName));
            _disk.CreateFolder(folder);
            var state = StateFileWriter.Write(_disk, Path.Combine(folder, StateNames.FileName), content.Tensors);
            manifest = Manifest(content, state);
            var (text, checksum) = manifest.ToText();
            var bytes = Encoding.UTF8.GetBytes(text);
            _disk.Write(Path.Combine(folder, CheckpointManifest.FileName), bytes.Length, file => file.Write(bytes));
            _disk.Flush(_places.Path);
            if (content.IsFull) content.Mark.Checksum = checksum;
            content.Mark.Increments = manifest.Increment;
        }
        catch (Exception e)
        {
            _pruning.RemoveQuietly(folder);
            if (e is not (IOException or UnauthorizedAccessException or MeftException)) throw;
            throw new RunFailedException(
                $"the checkpoint of step {content.Step} cannot be written: {((e as MeftException)?.Problem ?? e.Message).TrimEnd('.')}", folder, null,
                "earlier checkpoints are as they were; make room or check permissions, then go on with --resume", e);
        }
        _pruning.RemoveSurplus(content.Step);
        return new SavedCheckpoint(
            content.Step, folder, manifest.Kind, manifest.BaseStep, manifest.State.Bytes, Stopwatch.GetElapsedTime(began).TotalSeconds, HeldSeconds: 0);
    }

    /// <summary>The full checkpoint that an incremental one may count from now; null where a full one is to be written.</summary>
    private FullCheckpoint? UsableMark(int step, ITrainedMethod method)
    {
        if (_incremental == IncrementalCheckpoints.Off) return null;
        var marks = Changes(method).Select(c => c.Mark as FullCheckpoint).Distinct().ToList();
        if (marks is not [{ Checksum: not null } mark] || mark.Folder != this || mark.Step >= step || mark.Increments >= MostIncrements) return null;
        var whole = method.Matrices.Sum(m => m.Rows.ByteCount);
        if (CheckpointContent.BytesSince(method) > CheckpointConfig.MostIncrementShare * whole) return null;
        return CheckpointManifest.TryRead(_places.Of(mark.Step))?.Checksum == mark.Checksum ? mark : null;
    }

    private CheckpointManifest Manifest(CheckpointContent content, StateFile state) => new()
    {
        Step = content.Step,
        Kind = content.IsFull ? CheckpointKind.Full : CheckpointKind.Incremental,
        BaseStep = content.IsFull ? null : content.Mark.Step,
        BaseChecksum = content.IsFull ? null : content.Mark.Checksum,
        Increment = content.IsFull ? 0 : content.Mark.Increments + 1,
        OnlyAsBest = content.OnlyAsBest,
        Owner = Owner,
        Progress = content.Progress,
        State = state,
    };

    private (CheckpointManifest Manifest, string Folder) BaseOf(CheckpointManifest manifest, string folder)
    {
        if (manifest.BaseStep is not { } step) throw new InvalidInputException("the checkpoint is incremental and names no full one", folder);
        var full = CheckpointManifest.Read(_places.Of(step));
        if (full.Checksum == manifest.BaseChecksum && full.Kind == CheckpointKind.Full) return (full, _places.Of(step));
        throw new InvalidInputException($"the full checkpoint of step {step} that it needs was replaced by another", folder);
    }

    private void RequireRoom(CheckpointContent content)
    {
        var needed = content.ByteCount + ManifestBytes;
        if (_disk.FreeBytes(_places.Path) is { } free && free < needed)
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"the disk is full: it needs {needed} bytes and {free} are free"), _places.Path);
    }

    private static IEnumerable<ChangedRows> Changes(ITrainedMethod method) => method.Matrices.Select(m => m.Rows.Changed).OfType<ChangedRows>().Distinct();

    private static void Restart(ITrainedMethod method, FullCheckpoint mark)
    {
        foreach (var changed in Changes(method)) changed.Restart(mark);
    }
}
