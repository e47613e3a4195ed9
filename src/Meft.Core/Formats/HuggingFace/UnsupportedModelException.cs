using Meft.Core.Errors;

namespace Meft.Core.Formats.HuggingFace;

/// <summary>A config.json that may well be right, of a model that cannot be computed here; what else its folder holds can be looked at.</summary>
/// <param name="problem">What is not known.</param>
/// <param name="location">The file.</param>
/// <param name="allowed">What is.</param>
/// <param name="nextStep">What can be done; null for nothing.</param>
public class UnsupportedModelException(string problem, string? location, string allowed, string? nextStep = null)
    : InvalidInputException(problem, location, allowed, nextStep);
