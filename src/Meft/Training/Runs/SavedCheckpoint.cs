namespace Meft.Training.Runs;

/// <summary>What a checkpoint holds.</summary>
public enum CheckpointKind
{
    /// <summary>All of the state.</summary>
    Full,

    /// <summary>What has changed since a full one, which it needs.</summary>
    Incremental,
}

/// <summary>A checkpoint that was saved.</summary>
/// <param name="Step">After how many steps.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="BaseStep">The full one that an incremental one needs; null for a full one.</param>
/// <param name="Bytes">Bytes of its state.</param>
/// <param name="WriteSeconds">Seconds that writing took.</param>
/// <param name="HeldSeconds">Seconds that the training loop waited for it.</param>
public sealed record SavedCheckpoint(int Step, string Folder, CheckpointKind Kind, int? BaseStep, long Bytes, double WriteSeconds, double HeldSeconds);
