using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Metrics;

namespace Meft.Training.Runs;

/// <summary>
/// The small state of a run's loop, saved with every checkpoint (<c>progress</c> in its manifest): what a resumed run must know besides the trained
/// numbers. Everything random is a function of the seed, the epoch, the step and the micro-batch, and the learning rate is one of the step, so neither
/// has a state of its own.
/// </summary>
public sealed record TrainingProgress
{
    /// <summary>A run that has not taken a step.</summary>
    public static TrainingProgress None { get; } = new();

    /// <summary>Seconds of all steps so far, those before a resume included.</summary>
    public double Seconds { get; init; }

    /// <summary>Real tokens of all steps so far.</summary>
    public long Tokens { get; init; }

    /// <summary>Tokens that the losses so far counted.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>Passes over the rows so far, the current one as a share.</summary>
    public double Epoch { get; init; }

    /// <summary>Loss of the last step, in nats; null before the first.</summary>
    public double? LastLoss { get; init; }

    /// <summary>Validation loss before the run's first step, in nats; null where it was not measured.</summary>
    public double? StartValidationLoss { get; init; }

    /// <summary>The latest validation loss; null where none was measured.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>After how many steps the latest evaluation was completed, 0 for the one before the first; null where none was.</summary>
    public int? EvaluatedStep { get; init; }

    /// <summary>The least validation loss measured after a step; null where none was.</summary>
    public double? BestValidationLoss { get; init; }

    /// <summary>After how many steps the least validation loss was measured; null where none was.</summary>
    public int? BestValidationStep { get; init; }

    /// <summary>Measurements since the best one: 0 right after it.</summary>
    public int EvaluationsSinceBest { get; init; }

    /// <summary>
    /// For each layer of a sparse adapter the rows that have been active since the run began: one bit a row from the least significant one on, deflated,
    /// in base64. Null for other methods. Moments do not tell: a row that was active only on tokens without a gradient has none.
    /// </summary>
    public IReadOnlyDictionary<int, string>? ActiveRows { get; init; }

    /// <summary>What others keep here beside, by name; names that this version does not know come back as they were.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Others { get; init; }

    /// <summary>After one more step.</summary>
    public TrainingProgress After(StepMetrics step) => this with
    {
        Seconds = Seconds + step.Seconds,
        Tokens = Tokens + step.Tokens,
        TrainedTokens = TrainedTokens + step.TrainedTokens,
        Epoch = step.Epoch,
        LastLoss = Finite(step.Loss),
    };

    /// <summary>After a measurement before the first step.</summary>
    public TrainingProgress Started(double validationLoss) =>
        this with { StartValidationLoss = Finite(validationLoss), ValidationLoss = Finite(validationLoss), EvaluatedStep = 0 };

    /// <summary>After an evaluation; a loss that is no number is no measurement.</summary>
    /// <param name="step">After how many steps.</param>
    /// <param name="validationLoss">In nats; NaN where there are no validation rows.</param>
    /// <param name="minDelta">By how much a loss must be lower than the best one to take its place.</param>
    public TrainingProgress Measured(int step, double validationLoss, double minDelta = 0)
    {
        var evaluated = this with { EvaluatedStep = step };
        if (!double.IsFinite(validationLoss)) return evaluated;
        return BestValidationLoss is not { } best || validationLoss < best - minDelta
            ? evaluated with { ValidationLoss = validationLoss, BestValidationLoss = validationLoss, BestValidationStep = step, EvaluationsSinceBest = 0 }
            : evaluated with { ValidationLoss = validationLoss, EvaluationsSinceBest = EvaluationsSinceBest + 1 };
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
