namespace Meft.Core.Errors;

/// <summary>
/// Numbers of a model are not finite, in training or when it is asked: with the same rows and settings they are so every time. Where rates are compared, that is a result.
/// </summary>
/// <inheritdoc/>
public abstract class DivergedException(string problem, string? location, string? nextStep, Exception? cause = null)
    : RunFailedException(problem, location, null, nextStep, cause);
