using Meft.Core.Errors;

namespace Meft.Core.Data;

/// <summary>A single row that cannot be used, while the file around it can.</summary>
/// <param name="problem">What was wrong, with the offending value, as a sentence without its full stop.</param>
/// <param name="origin">Where the row stands.</param>
/// <param name="allowed">What is allowed instead; null if that is obvious.</param>
/// <param name="nextStep">What the user can do next; null if that is obvious.</param>
/// <param name="cause">The exception behind this one, if any.</param>
public sealed class RowException(string problem, RowOrigin origin, string? allowed = null, string? nextStep = null, Exception? cause = null)
    : InvalidInputException(problem, origin.ToString(), allowed, nextStep, cause)
{
    /// <summary>Where the row stands.</summary>
    public RowOrigin Origin { get; } = origin;
}
