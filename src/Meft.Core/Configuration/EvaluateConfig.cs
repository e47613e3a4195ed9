namespace Meft.Core.Configuration;

/// <summary>What is measured between steps, and whether the run stops by it (the config's <c>evaluate</c>).</summary>
public sealed record EvaluateConfig
{
    /// <summary>Every so many steps; 0 is at the end of each epoch.</summary>
    public int Every { get; init; }

    /// <summary>Measurements without an improvement after which the run stops; 0 never stops.</summary>
    public int Patience { get; init; }

    /// <summary>By how many nats the validation loss must fall below the best one to count as an improvement.</summary>
    public double MinDelta { get; init; }

    /// <summary>Whether the result is the state with the best validation loss instead of the last one.</summary>
    public bool KeepBest { get; init; }

    /// <summary>Validation rows, from the first on, whose prompts are continued at every measurement.</summary>
    public int Samples { get; init; }

    /// <summary>Further prompts that are continued at every measurement.</summary>
    public ValueList<string> Prompts { get; init; } = [];

    /// <summary>The most tokens of a sample.</summary>
    public int MaxNewTokens { get; init; } = 64;

    /// <summary>Whether anything is continued at all.</summary>
    public bool HasSamples => Samples > 0 || Prompts.Count > 0;
}
