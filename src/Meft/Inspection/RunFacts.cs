using Meft.Training.Runs;

namespace Meft.Inspection;

/// <summary>A run in a folder.</summary>
/// <param name="BaseModel">The base model.</param>
/// <param name="Method">What is trained.</param>
/// <param name="Rank">Neurons a layer; null for a method without.</param>
/// <param name="Steps">Steps that metrics.jsonl tells of.</param>
/// <param name="LastLoss">Loss of the last of them.</param>
/// <param name="Checkpoints">Steps of the complete checkpoints.</param>
/// <param name="Result">The folder of what was trained; null where the run is not finished.</param>
/// <param name="BestCheckpoint">Step of the checkpoint with the least validation loss; null where none was measured when one was saved.</param>
public sealed record RunFacts(
    string BaseModel, string Method, int? Rank, int Steps, double? LastLoss, IReadOnlyList<int> Checkpoints, string? Result, int? BestCheckpoint = null);

/// <summary>A checkpoint of a run.</summary>
/// <param name="Kind"><c>full</c>, or <c>incremental</c>: the rows that have changed since a full one.</param>
/// <param name="BaseStep">The step of the full one that an incremental one needs; null for a full one.</param>
/// <param name="FormatVersion">The version of its format.</param>
/// <param name="Owner">Whose state it is; null where its files do not say.</param>
/// <param name="Progress">The loop's small state; null where none was saved.</param>
public sealed record CheckpointFacts(string Kind, int? BaseStep, int FormatVersion, CheckpointOwner? Owner, TrainingProgress? Progress);
