using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Schedules;
using Meft.Models;
using Meft.Training.Runs;
using Meft.Training.Samples;

namespace Meft.Training;

/// <summary>All that a training loop needs, loaded and checked.</summary>
public sealed record TrainingTask
{
    /// <summary>The base model.</summary>
    public required Decoder Decoder { get; init; }

    /// <summary>What is trained.</summary>
    public required ITrainedMethod Method { get; init; }

    /// <summary>Which rows each step takes.</summary>
    public required BatchSchedule Batches { get; init; }

    /// <summary>The rate of each step.</summary>
    public required LearningRateSchedule Rates { get; init; }

    /// <summary>AdamW's settings and clipping.</summary>
    public required OptimizerConfig Optimizer { get; init; }

    /// <summary>Whether layers compute their activations again in the backward pass instead of keeping them.</summary>
    public bool Recompute { get; init; }

    /// <summary>The most bytes that may be held on the device; null for no limit.</summary>
    public long? DeviceBudget { get; init; }

    /// <summary>What the plan says of memory, to be shown beside what is measured; null without a plan.</summary>
    public PredictedResult? Predicted { get; init; }

    /// <summary>Whether the largest micro-batch is tried before the first step.</summary>
    public WorstBatchCheck CheckWorstBatch { get; init; } = WorstBatchCheck.Auto;

    /// <summary>Rows to measure the loss on; empty for none.</summary>
    public IReadOnlyList<TokenRow> Validation { get; init; } = [];

    /// <summary>Rows of a validation batch.</summary>
    public int ValidationBatchSize { get; init; } = 16;

    /// <summary>Prompts to continue at every measurement; null for none.</summary>
    public SampleSet? Samples { get; init; }

    /// <summary>Steps between two measurements; 0: at the end of each epoch.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Measurements without an improvement after which the loop stops; 0: it does not.</summary>
    public int Patience { get; init; }

    /// <summary>By how many nats the validation loss must fall below the best one to improve on it.</summary>
    public double MinDelta { get; init; }

    /// <summary>Whether the state with the best validation loss is saved as a checkpoint, whenever there is a new one.</summary>
    public bool KeepBest { get; init; }

    /// <summary>Steps between two checkpoints; 0: at the end only.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Whether the state after the last step is saved as a checkpoint: where the result is all that is wanted, it need not be.</summary>
    public bool CheckpointAtEnd { get; init; } = true;

    /// <summary>Bytes of host memory that a copy of a checkpoint's content may take, to be written beside the next steps; 0 to write while the loop waits.</summary>
    public long CheckpointCopyBytes { get; init; }

    /// <summary>Free bytes that malloc's heap may hold between two steps; null for any number.</summary>
    public long? HeapLimitBytes { get; init; }

    /// <summary>Whether the loop is to stop because the validation loss has not improved for too long.</summary>
    internal bool IsPatienceOver(TrainingProgress progress) => Patience > 0 && progress.EvaluationsSinceBest >= Patience;
}
