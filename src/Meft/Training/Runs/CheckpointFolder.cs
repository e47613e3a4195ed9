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

    private const string Prefix = "step-";
    private const long ManifestBytes = 1 << 16;
    private readonly string _path;
    private readonly int _keep;
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
        (_path, _keep, _incremental, _disk) = (path, Math.Max(1, keep), incremental, disk);
    }

    /// <summary>Whose checkpoints these are: written into each, and one of another's is not loaded. Null where nobody asks.</summary>
    public CheckpointOwner? Owner { get; set; }

    /// <summary>The steps of the complete checkpoints, ascending.</summary>
    public IReadOnlyList<int> Steps => [.. Folders().Where(f => f.Complete).Select(f => f.Step).Order()];

    /// <summary>Names of checkpoint folders that were never completed.</summary>
    public IReadOnlyList<string> Incomplete => [.. Folders().Where(f => !f.Complete).Select(f => Path.GetFileName(f.Path)).Order(StringComparer.Ordinal)];

    /// <summary>The step of the checkpoint with the least validation loss, of those that were saved right when it was measured; null where there is none.</summary>
    public int? BestStep => Best(Manifests())?.Step;

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
        var folder = FolderOf(step);
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
        var folder = FolderOf(content.Step);
        CheckpointManifest manifest;
        try
        {
            _disk.CreateFolder(_path);
            RemoveLeft(content.Step);
            RequireRoom(content);
            _disk.RemoveFile(Path.Combine(folder, CheckpointManifest.FileName));
            _disk.CreateFolder(folder);
            var state = StateFileWriter.Write(_disk, Path.Combine(folder, StateNames.FileName), content.Tensors);
            manifest = Manifest(content, state);
            var (text, checksum) = manifest.ToText();
            var bytes = Encoding.UTF8.GetBytes(text);
            _disk.Write(Path.Combine(folder, CheckpointManifest.FileName), bytes.Length, file => file.Write(bytes));
            _disk.Flush(_path);
            if (content.IsFull) content.Mark.Checksum = checksum;
            content.Mark.Increments = manifest.Increment;
        }
        catch (Exception e)
        {
            RemoveQuietly(folder);
            if (e is not (IOException or UnauthorizedAccessException or MeftException)) throw;
            throw new RunFailedException(
                $"the checkpoint of step {content.Step} cannot be written: {((e as MeftException)?.Problem ?? e.Message).TrimEnd('.')}", folder, null,
                "earlier checkpoints are as they were; make room or check permissions, then go on with --resume", e);
        }
        RemoveSurplus(content.Step);
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
        return CheckpointManifest.TryRead(FolderOf(mark.Step))?.Checksum == mark.Checksum ? mark : null;
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
        var full = CheckpointManifest.Read(FolderOf(step));
        if (full.Checksum == manifest.BaseChecksum && full.Kind == CheckpointKind.Full) return (full, FolderOf(step));
        throw new InvalidInputException($"the full checkpoint of step {step} that it needs was replaced by another", folder);
    }

    /// <summary>Removes what a process that was killed left behind: it may be as large as a checkpoint.</summary>
    private void RemoveLeft(int step)
    {
        foreach (var (_, folder, _) in Folders().Where(f => !f.Complete && f.Step != step)) RemoveQuietly(folder);
        if (!Directory.Exists(FolderOf(step))) return;
        foreach (var file in Directory.EnumerateFiles(FolderOf(step), "*.tmp")) _disk.RemoveFile(file);
    }

    private void RequireRoom(CheckpointContent content)
    {
        var needed = content.ByteCount + ManifestBytes;
        if (_disk.FreeBytes(_path) is { } free && free < needed)
            throw new RunFailedException(string.Create(CultureInfo.InvariantCulture, $"the disk is full: it needs {needed} bytes and {free} are free"), _path);
    }

    /// <summary>
    /// Removes what is not among the newest, the best, and the full ones that these need. An incremental one goes before the full one it needs, for what
    /// is newer goes first.
    /// </summary>
    private void RemoveSurplus(int newest)
    {
        var manifests = Manifests();
        var kept = manifests.Where(m => m.Step <= newest && !m.OnlyAsBest).OrderByDescending(m => m.Step).Take(_keep).ToList();
        if (Best(manifests.Where(m => m.Step <= newest)) is { } best) kept.Add(best);
        var needed = kept.Select(m => m.Step).Concat(kept.Select(m => m.BaseStep).OfType<int>()).ToHashSet();
        var readable = manifests.Select(m => m.Step).ToHashSet();
        foreach (var (step, folder, complete) in Folders().OrderByDescending(f => f.Step))
        {
            // One whose manifest cannot be read may be needed by nobody; it goes when those beside it do.
            var goes = !complete || step > newest || (readable.Contains(step) ? !needed.Contains(step) : step < needed.Min());
            if (goes && step != newest) RemoveQuietly(folder);
        }
    }

    private static CheckpointManifest? Best(IEnumerable<CheckpointManifest> manifests) =>
        manifests.Where(m => m.IsBestSoFar).OrderBy(m => m.Progress!.BestValidationLoss).ThenBy(m => m.Step).FirstOrDefault();

    private List<CheckpointManifest> Manifests() =>
        [.. Folders().Where(f => f.Complete).Select(f => CheckpointManifest.TryRead(f.Path)).OfType<CheckpointManifest>()];

    private static IEnumerable<ChangedRows> Changes(ITrainedMethod method) => method.Matrices.Select(m => m.Rows.Changed).OfType<ChangedRows>().Distinct();

    private static void Restart(ITrainedMethod method, FullCheckpoint mark)
    {
        foreach (var changed in Changes(method)) changed.Restart(mark);
    }

    private string FolderOf(int step) => Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:D6}"));

    private List<(int Step, string Path, bool Complete)> Folders()
    {
        if (!Directory.Exists(_path)) return [];
        var folders = new List<(int, string, bool)>();
        foreach (var folder in Directory.EnumerateDirectories(_path, Prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step))
                folders.Add((step, folder, File.Exists(Path.Combine(folder, CheckpointManifest.FileName))));
        }
        return folders;
    }

    /// <summary>The manifest goes first, so that a removal cut short leaves an incomplete checkpoint and not a broken one.</summary>
    private void RemoveQuietly(string folder)
    {
        try
        {
            _disk.RemoveFile(Path.Combine(folder, CheckpointManifest.FileName));
            _disk.RemoveFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left has no manifest: it counts as incomplete and the next save tries again.
        }
    }
}
