using Meft.Core.Errors;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>A config.json that may well be right, of a family that cannot be computed here.</summary>
/// <param name="problem">The name that is not known.</param>
/// <param name="location">The file.</param>
/// <param name="known">The names that are.</param>
public sealed class UnknownModelException(string problem, string? location, IEnumerable<string> known)
    : InvalidInputException(problem, location, string.Join(", ", known));
