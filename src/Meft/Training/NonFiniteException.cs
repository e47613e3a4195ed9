using Meft.Core.Data;
using Meft.Core.Errors;

namespace Meft.Training;

/// <summary>A loss or gradient that is not finite: the run stops at that step, before any parameter has moved.</summary>
public sealed class NonFiniteException : RunFailedException
{
    private const int NamedRows = 8;

    private NonFiniteException(long step, string problem, string nextStep)
        : base(problem, $"step {step}", null, nextStep) => Step = step;

    /// <summary>The step, 1 for the first.</summary>
    public long Step { get; }

    internal static NonFiniteException InLoss(long step, NonFinitePlace place, IReadOnlyList<TokenRow> rows) => new(
        step,
        $"the loss is not finite: {place} is the first place with such a number, in {Names(place.Rows.Count == 0 ? rows : place.Rows)}",
        "the last checkpoint is as it was; lower optimizer.learning_rate, or look at those rows, and resume from it");

    internal static NonFiniteException InGradient(
        long step, IReadOnlyList<string> matrices, IReadOnlyList<IReadOnlyList<TokenRow>> microBatches) => new(
        step,
        $"the gradient is not finite in {string.Join(", ", matrices.Take(NamedRows))}, from {Names([.. microBatches.SelectMany(r => r)])}",
        "the last checkpoint is as it was; lower optimizer.learning_rate, or look at those rows, and resume from it");

    internal static NonFiniteException InWeights(long step, IReadOnlyList<string> matrices) => new(
        step,
        $"after the step, {string.Join(", ", matrices.Take(NamedRows))} hold numbers that are not finite, so nothing is saved",
        "the last checkpoint is as it was; lower optimizer.learning_rate or optimizer.weight_decay and resume from it");

    private static string Names(IReadOnlyList<TokenRow> rows)
    {
        var named = string.Join(", ", rows.Take(NamedRows).Select(r => r.Origin.ToString()));
        return rows.Count <= NamedRows ? $"the rows {named}" : $"the rows {named} and {rows.Count - NamedRows} more";
    }
}
