namespace Meft.Core.Formats.HuggingFace;

/// <summary>A config.json of a family that is not known.</summary>
/// <param name="problem">The name that is not known.</param>
/// <param name="location">The file.</param>
/// <param name="known">The names that are.</param>
/// <param name="nextStep">What can be done; null for nothing.</param>
public sealed class UnknownModelException(string problem, string? location, IEnumerable<string> known, string? nextStep = null)
    : UnsupportedModelException(problem, location, string.Join(", ", known), nextStep);
