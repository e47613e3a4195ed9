using System.Text.Json.Serialization;

namespace Meft.Training.Runs;

/// <summary>What two states a proof compared.</summary>
public enum ProofKind
{
    /// <summary>The state that the run itself saved at a checkpoint, and the one reached from the checkpoint before it.</summary>
    Checkpoints,

    /// <summary>Some steps at one go, and the same steps with a stop and a resume between them.</summary>
    Interruption,
}

/// <summary>How a run's resume is to be proved.</summary>
public sealed record ResumeProofOptions
{
    /// <summary>Steps of a short proof where none are given.</summary>
    public const int DefaultSteps = 6;

    /// <summary>Takes so many steps from the start, at one go and interrupted; null: goes by the run's checkpoints where it has two of them.</summary>
    public int? Steps { get; init; }

    /// <summary>The step after which the short proof is interrupted; null for the middle.</summary>
    public int? At { get; init; }

    /// <summary>Threads that compute; null for as many as the run had.</summary>
    public int? Threads { get; init; }
}

/// <summary>What a proof found.</summary>
public sealed record ResumeProof
{
    /// <summary>What was compared.</summary>
    public required ProofKind Kind { get; init; }

    /// <summary>Steps that lie before those of the proof: those of the first checkpoint, or none.</summary>
    public required int FromStep { get; init; }

    /// <summary>The step after which everything was let go and loaded from a checkpoint.</summary>
    public required int ResumedAfter { get; init; }

    /// <summary>The step after which the states were compared.</summary>
    public required int ToStep { get; init; }

    /// <summary>Threads that computed.</summary>
    public required int Threads { get; init; }

    /// <summary>SHA-256 of the state that was reached without the resume, as <see cref="StateDigest.Hash"/>.</summary>
    public required string StraightHash { get; init; }

    /// <summary>SHA-256 of the state that was reached by it.</summary>
    public required string ResumedHash { get; init; }

    /// <summary>Whether the states are the same, bit by bit.</summary>
    public bool Equal => StraightHash == ResumedHash;

    /// <summary>The first place where they are not; null where they are the same.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StateDifference? Difference { get; init; }

    /// <summary>What may change bits and was not as in the run.</summary>
    public required IReadOnlyList<string> Remarks { get; init; }
}
