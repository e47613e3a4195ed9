using Meft.Core.Data;
using Meft.Core.Errors;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>What is not finite.</summary>
public enum NonFiniteKind
{
    /// <summary>The loss of a micro-batch.</summary>
    Loss,

    /// <summary>A gradient of the step.</summary>
    Gradient,

    /// <summary>A trained number, found before a checkpoint.</summary>
    Weights,
}

/// <summary>
/// A loss, a gradient or a trained number that is not finite: the run stops at that step. A loss or gradient is found before any parameter has
/// moved, a trained number before a checkpoint is written of it; so the last checkpoint stays as it was.
/// </summary>
public sealed class NonFiniteException : DivergedException
{
    private const int MostNames = 8;

    private NonFiniteException(NonFiniteKind kind, long step, IReadOnlyList<string> where, IReadOnlyList<TokenRow> rows, string problem, string nextStep, Exception? cause)
        : base(problem, step == 0 ? "before the first step" : $"step {step}", nextStep, cause)
    {
        Kind = kind;
        Step = step;
        Where = where;
        Rows = rows;
    }

    /// <summary>What is not finite.</summary>
    public NonFiniteKind Kind { get; }

    /// <summary>The step, 1 for the first; 0 where the largest micro-batch was tried before it.</summary>
    public long Step { get; }

    /// <summary>For a loss the first place of the forward pass with such a number (<c>the embedding</c>, <c>layer 3</c>, <c>the head</c>), else the matrices.</summary>
    public IReadOnlyList<string> Where { get; }

    /// <summary>The rows that bring it about; all of the step's where single ones cannot be named; empty for trained numbers.</summary>
    public IReadOnlyList<TokenRow> Rows { get; }

    /// <summary>The micro-batch of the step, 0 for the first; null for a gradient, to which all of them add, and for trained numbers.</summary>
    public int? MicroBatch { get; private init; }

    /// <summary>The micro-batch's summed loss in nats, for a loss; the gradient's norm, for a gradient.</summary>
    public double Value { get; private init; } = double.NaN;

    /// <summary>Where the step's rows and numbers were written; null where they were not.</summary>
    public string? Folder { get; private init; }

    /// <summary>The same error, which also says where its evidence lies.</summary>
    internal NonFiniteException WithEvidence(string folder) => new(
        Kind, Step, Where, Rows, Problem, $"{folder} holds the step's rows and numbers (`meft score` takes its {Runs.FailureFolder.RowsFileName}); {NextStep}", this)
    {
        MicroBatch = MicroBatch,
        Value = Value,
        Folder = folder,
    };

    internal static NonFiniteException InLoss(long step, int microBatch, double sum, NonFinitePlace place, IReadOnlyList<TokenRow> rows, ScalarType type)
    {
        var suspects = place.Rows.Count == 0 ? rows : place.Rows;
        return new NonFiniteException(
            NonFiniteKind.Loss, step, [place.ToString()], suspects,
            $"the loss is not finite: {place} is the first place with such a number, in {Names(suspects)}", Advice(type), null)
        {
            MicroBatch = microBatch,
            Value = sum,
        };
    }

    /// <param name="step">The step.</param>
    /// <param name="norm">Its gradient norm.</param>
    /// <param name="matrices">Those whose gradient is not finite.</param>
    /// <param name="suspects">The rows whose own gradient is not finite; empty where each one's is.</param>
    /// <param name="microBatches">The step's rows.</param>
    /// <param name="type">The type that the base computes in.</param>
    internal static NonFiniteException InGradient(
        long step, double norm, IReadOnlyList<string> matrices, IReadOnlyList<TokenRow> suspects, IReadOnlyList<IReadOnlyList<TokenRow>> microBatches,
        ScalarType type)
    {
        var all = suspects.Count == 0;
        var rows = all ? [.. microBatches.SelectMany(r => r)] : suspects;
        return new NonFiniteException(
            NonFiniteKind.Gradient, step, matrices, rows,
            $"the gradient is not finite in {string.Join(", ", matrices.Take(MostNames))}, from {Names(rows)}{(all ? " together" : "")}", Advice(type), null)
        {
            Value = norm,
        };
    }

    internal static NonFiniteException InWeights(long step, IReadOnlyList<string> matrices) => new(
        NonFiniteKind.Weights, step, matrices, [],
        $"after the step, {string.Join(", ", matrices.Take(MostNames))} hold numbers that are not finite, so nothing is saved",
        "the last checkpoint is as it was; lower optimizer.learning_rate or optimizer.weight_decay and resume from it", null);

    private static string Advice(ScalarType type) => (type == ScalarType.Float16 ? "float16 ends at 65,504, which some models pass: try dtype: bf16 or fp32. Else " : "")
        + "the last checkpoint is as it was; lower optimizer.learning_rate, or look at those rows, and resume from it";

    private static string Names(IReadOnlyList<TokenRow> rows)
    {
        var named = string.Join(", ", rows.Take(MostNames).Select(r => r.Origin.ToString()));
        return rows.Count == 1 ? $"the row {named}"
            : rows.Count <= MostNames ? $"the rows {named}" : $"the rows {named} and {rows.Count - MostNames} more";
    }
}
