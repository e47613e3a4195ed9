using Meft.Core.Errors;

namespace Meft.Memory;

/// <summary><c>budget.device</c> would be exceeded. Nothing has been allocated and no parameter changed.</summary>
/// <param name="problem">What was to be taken, and what is held.</param>
/// <param name="nextStep">What to change.</param>
/// <param name="cause">The exception behind this one, if any.</param>
public sealed class DeviceBudgetException(string problem, string nextStep, Exception? cause = null)
    : RunFailedException(problem, "budget.device", null, nextStep, cause);
