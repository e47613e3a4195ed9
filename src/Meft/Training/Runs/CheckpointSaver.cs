namespace Meft.Training.Runs;

/// <summary>
/// Saves the checkpoints of one training loop. A save may go on beside the steps that follow; at most one is under way. Every call is the loop's own
/// thread's, and so is the observer told on it.
/// </summary>
/// <param name="folder">Where they go.</param>
/// <param name="method">Whose state is saved.</param>
/// <param name="observer">Is told of each that is complete; null for nobody.</param>
internal sealed class CheckpointSaver(CheckpointFolder folder, ITrainedMethod method, ITrainingObserver? observer) : IDisposable
{
    private (int Step, string Folder)? _untold;

    /// <summary>Saves the state as it is now, or begins to.</summary>
    /// <param name="step">After how many steps.</param>
    /// <param name="progress">The loop's small state.</param>
    /// <exception cref="Core.Errors.RunFailedException">It cannot be written, or the one before could not be; earlier ones are as they were.</exception>
    public void Save(int step, TrainingProgress progress)
    {
        Complete();
        _untold = (step, folder.Save(step, method, progress));
        Poll();
    }

    /// <summary>To be called after each step: tells of a save that has ended.</summary>
    /// <exception cref="Core.Errors.RunFailedException">A save that went on beside the loop has failed.</exception>
    public void Poll()
    {
        if (_untold is not { } saved) return;
        _untold = null;
        observer?.CheckpointSaved(saved.Step, saved.Folder);
    }

    /// <summary>Waits for the save that is under way; to be called at the loop's end.</summary>
    /// <exception cref="Core.Errors.RunFailedException">It has failed.</exception>
    public void Complete() => Poll();

    /// <summary>Waits for a save that is under way, and throws nothing: what ends the loop with an error is not hidden by another.</summary>
    public void Dispose()
    {
        // Nothing is under way between two calls.
    }
}
