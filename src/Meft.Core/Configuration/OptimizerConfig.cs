namespace Meft.Core.Configuration;

/// <summary>AdamW with decoupled weight decay (method.md §4; the config's <c>optimizer</c>).</summary>
public sealed record OptimizerConfig
{
    /// <summary>Which rows move in a step.</summary>
    public OptimizerRows Rows { get; init; } = OptimizerRows.Touched;

    /// <summary>The schedule's base rate; what stands here at first is the sparse adapter's <see cref="DefaultRate"/>.</summary>
    public double LearningRate { get; init; } = DefaultRate(MethodKind.Meft);

    /// <summary>Decay of the first and second moment; what stands here at first is the sparse adapter's <see cref="DefaultBetas"/>.</summary>
    public (double Beta1, double Beta2) Betas { get; init; } = DefaultBetas(MethodKind.Meft);

    /// <summary>Added to the root of the second moment.</summary>
    public double Eps { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Gradients are scaled down to this global norm; 0 leaves them as they are.</summary>
    public double MaxGradNorm { get; init; } = 1.0;

    /// <summary>
    /// The rate where the config does not say it. The sparse adapter's is good for facts and questions, in runs of a hundred steps and of a thousand (evidence; twice the
    /// rate gives more paraphrases and forgets more); LoRA's is the highest that never broke down on facts, with any r; the dense adapter, which starts slowly, wants
    /// more; that of full training is the usual one.
    /// </summary>
    public static double DefaultRate(MethodKind kind) => kind switch
    {
        MethodKind.Meft => 2e-3,
        MethodKind.Parallel => 4e-3,
        MethodKind.Full => 1e-4,
        _ => 1e-3,
    };

    /// <summary>What holds where the config does not say it.</summary>
    public static OptimizerConfig For(MethodKind kind) => new() { LearningRate = DefaultRate(kind), Betas = DefaultBetas(kind) };

    /// <summary>
    /// Decay of the moments where the config does not say it: the usual, and of the sparse adapter's first moment a shorter one, with which it learns more and
    /// forgets less (docs/decisions.md).
    /// </summary>
    public static (double Beta1, double Beta2) DefaultBetas(MethodKind kind) => (kind == MethodKind.Meft ? 0.5 : 0.9, 0.999);
}

/// <summary>How the learning rate moves (the config's <c>schedule</c>).</summary>
public sealed record ScheduleConfig
{
    /// <summary>The schedule's form.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.Linear;

    /// <summary>Warm-up: below 1 a share of all steps, else a number of steps.</summary>
    public double Warmup { get; init; } = 0.05;
}
