namespace Meft.Generation;

/// <summary>Why a row ended.</summary>
public enum FinishReason
{
    /// <summary>An end token came, or the token callback said so.</summary>
    Stop,

    /// <summary>The most new tokens, or the model's longest row, was reached.</summary>
    Length,

    /// <summary>The caller cancelled.</summary>
    Cancelled,
}

/// <summary>What was generated for one prompt.</summary>
/// <param name="Tokens">The new tokens, an end token included.</param>
/// <param name="Finish">Why it ended.</param>
public sealed record GeneratedRow(IReadOnlyList<int> Tokens, FinishReason Finish);

/// <summary>Called for each new token as it comes.</summary>
/// <param name="row">The prompt's index.</param>
/// <param name="token">The new token, an end token too.</param>
/// <returns>Whether the row goes on; false ends it with <see cref="FinishReason.Stop"/>.</returns>
public delegate bool TokenCallback(int row, int token);
