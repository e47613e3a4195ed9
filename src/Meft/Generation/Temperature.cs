namespace Meft.Generation;

/// <summary>Divides scores by a temperature: below 1 the distribution sharpens, above it flattens.</summary>
public sealed class Temperature(double temperature) : ILogitsProcessor
{
    private readonly float _temperature = (float)temperature;

    /// <inheritdoc/>
    public void Process(ReadOnlySpan<int> tokens, Span<float> scores)
    {
        for (var i = 0; i < scores.Length; i++) scores[i] /= _temperature;
    }
}
