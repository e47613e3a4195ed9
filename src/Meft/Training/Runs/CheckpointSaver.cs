using System.Diagnostics;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Core.Metrics;
using Meft.Training.Runs.Checkpoints;

namespace Meft.Training.Runs;

/// <summary>
/// Saves the checkpoints of one training loop. Where a copy of what is to be saved fits into memory, it is written beside the steps that follow, at most
/// one at a time; else it is written block by block while the loop waits. Every call is the loop's own thread's, and so is the observer told on it.
/// </summary>
/// <param name="folder">Where they go.</param>
/// <param name="method">Whose state is saved.</param>
/// <param name="observer">Is told of each that is complete; null for nobody.</param>
/// <param name="copyBytes">Bytes that a copy in memory may take; 0 to write while the loop waits.</param>
internal sealed class CheckpointSaver(CheckpointFolder folder, ITrainedMethod method, ITrainingObserver? observer, long copyBytes = 0) : IDisposable
{
    private Task<SavedCheckpoint>? _writing;
    private CheckpointMetrics? _metrics;

    /// <summary>Saves the state as it is now, or begins to.</summary>
    /// <param name="step">After how many steps.</param>
    /// <param name="progress">The loop's small state.</param>
    /// <param name="onlyAsBest">Whether it is saved only because its validation loss is the least so far.</param>
    /// <param name="beside">Whether steps follow that it may be written beside.</param>
    /// <exception cref="RunFailedException">It cannot be written, or the one before could not be; earlier ones are as they were.</exception>
    public void Save(int step, TrainingProgress progress, bool onlyAsBest = false, bool beside = true)
    {
        var began = Stopwatch.GetTimestamp();
        Complete();
        var content = folder.Prepare(step, method, progress, onlyAsBest);
        var copy = beside ? CopyOf(content) : null;
        if (copy is null)
        {
            using (content) Tell(folder.Write(content) with { HeldSeconds = Stopwatch.GetElapsedTime(began).TotalSeconds });
            return;
        }
        content.Dispose();
        var held = Stopwatch.GetElapsedTime(began).TotalSeconds;
        _metrics = new CheckpointMetrics(step, ChoiceName.Of(copy.IsFull ? CheckpointKind.Full : CheckpointKind.Incremental), copy.ByteCount, held, null);
        _writing = Task.Factory.StartNew(
            () =>
            {
                using (copy) return folder.Write(copy) with { HeldSeconds = held };
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>To be called after each step: tells of a save that has ended.</summary>
    /// <exception cref="RunFailedException">A save that went on beside the loop has failed.</exception>
    public void Poll()
    {
        if (_writing is { IsCompleted: true }) Complete();
    }

    /// <summary>The save that is under way, or has ended since this was asked the last time; null for none.</summary>
    public CheckpointMetrics? TakeMetrics()
    {
        var metrics = _metrics;
        if (_writing is null) _metrics = null;
        return metrics;
    }

    /// <summary>Waits for the save that is under way; to be called at the loop's end.</summary>
    /// <exception cref="RunFailedException">It has failed.</exception>
    public void Complete()
    {
        if (_writing is not { } writing) return;
        _writing = null;
        _metrics = null;
        Tell(writing.GetAwaiter().GetResult());
    }

    /// <summary>Waits for a save that is under way, and throws nothing: what ends the loop with an error is not hidden by another.</summary>
    public void Dispose()
    {
        if (_writing is not { } writing) return;
        _writing = null;
        Task.WaitAny(writing);
        if (writing.IsCompletedSuccessfully) Tell(writing.Result);
    }

    /// <summary>A copy of what is to be saved; null where it is too large, or the memory is not there after all.</summary>
    private CheckpointContent? CopyOf(CheckpointContent content)
    {
        if (content.ByteCount > copyBytes || MemoryLimits.Read().AvailableBytes < content.ByteCount) return null;
        try
        {
            return content.Copied();
        }
        catch (RunFailedException)
        {
            return null;
        }
    }

    private void Tell(SavedCheckpoint saved)
    {
        _metrics = new CheckpointMetrics(saved.Step, ChoiceName.Of(saved.Kind), saved.Bytes, saved.HeldSeconds, saved.WriteSeconds);
        observer?.CheckpointSaved(saved);
    }
}
