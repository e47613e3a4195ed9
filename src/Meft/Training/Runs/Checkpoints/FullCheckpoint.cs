namespace Meft.Training.Runs.Checkpoints;

/// <summary>A full checkpoint that changed rows count from.</summary>
/// <param name="folder">Whose checkpoint it is.</param>
/// <param name="step">After how many steps.</param>
internal sealed class FullCheckpoint(CheckpointFolder folder, int step)
{
    /// <summary>Whose checkpoint it is.</summary>
    public CheckpointFolder Folder => folder;

    /// <summary>After how many steps.</summary>
    public int Step => step;

    /// <summary>The checksum of its manifest; null until it is complete.</summary>
    public string? Checksum { get; set; }

    /// <summary>Incremental ones that were written since.</summary>
    public int Increments { get; set; }
}
