using Meft.Core.Errors;

namespace Meft.Generation;

/// <summary>A model that is asked, not trained, gives numbers that are not finite.</summary>
/// <param name="problem">Which number, of what.</param>
/// <param name="place">Where it was asked.</param>
public sealed class NonFiniteOutputException(string problem, string place)
    : DivergedException(problem, place, "Check the model's weights and the adapter for numbers that are not finite, or compute with another dtype");
