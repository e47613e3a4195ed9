using System.Runtime.InteropServices;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Memory;

namespace Meft.Training;

/// <summary>Memory did not suffice for a step's rows: libtorch, a card or the host could not give what was asked for.</summary>
public sealed class BatchMemoryException : RunFailedException
{
    private BatchMemoryException(string problem, string location, string nextStep, bool changedNothing, Exception cause)
        : base(problem, location, null, nextStep, cause) => ChangedNothing = changedNothing;

    /// <summary>Whether the step had not yet begun to move parameters: then the state is that of the step before.</summary>
    public bool ChangedNothing { get; }

    /// <summary>Whether an exception says that memory is short: the ledger's budget, libtorch's allocators, the runtime's.</summary>
    internal static bool IsShortage(Exception exception) => exception switch
    {
        DeviceBudgetException or OutOfMemoryException => true,
        // libtorch's exceptions have one managed type; its allocators say "CUDA out of memory" or "can't allocate memory".
        ExternalException e => e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("allocate memory", StringComparison.OrdinalIgnoreCase),
        { InnerException: { } inner } => IsShortage(inner),
        _ => false,
    };

    /// <summary>The error that names the rows and what to change.</summary>
    /// <param name="shortage">What <see cref="IsShortage"/> is true of.</param>
    /// <param name="what">The rows as an error names them.</param>
    /// <param name="location">Where it happened, for example <c>step 12</c>.</param>
    /// <param name="changedNothing">Whether no parameter had moved.</param>
    internal static RunFailedException Of(Exception shortage, string what, string location, bool changedNothing)
    {
        if (shortage is DeviceBudgetException budget)
            return new DeviceBudgetException($"{location}, {what}: {budget.Problem}", budget.NextStep!, budget);
        var onCard = shortage.Message.Contains("CUDA", StringComparison.Ordinal);
        return new BatchMemoryException(
            $"memory {(onCard ? "on the device " : "")}does not suffice for {what}: {FirstLine(shortage.Message)}", location,
            $"lower batch.size (and raise batch.accumulate) or data.max_length, {(onCard ? "set recompute: on or base: streamed" : "set recompute: on, lower method.rank, or end other programs")}; "
            + "`meft plan` shows what each takes",
            changedNothing, shortage);
    }

    /// <summary>Rows as an error names them: how many, how long, and the longest.</summary>
    internal static string Describe(IReadOnlyList<TokenRow> rows)
    {
        var longest = rows.MaxBy(r => r.Length)!;
        return $"{rows.Count:N0} rows of {rows.Sum(r => (long)r.Length):N0} tokens, the longest {longest.Origin} with {longest.Length:N0}";
    }

    private static string FirstLine(string text) => text.AsSpan().Trim() is var all && all.IndexOf('\n') is var end and >= 0 ? all[..end].ToString() : all.ToString();
}
