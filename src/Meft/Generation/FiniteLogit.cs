namespace Meft.Generation;

/// <summary>Refuses to choose a token where the model gives no numbers to choose by.</summary>
internal static class FiniteLogit
{
    /// <param name="greatest">The greatest logit of a row, which is NaN where any of the row is.</param>
    /// <param name="row">The prompt's index, from 0.</param>
    /// <param name="position">The position of the token that is to be chosen, from 0, the prompt counted.</param>
    /// <exception cref="NonFiniteOutputException">The logit is not finite.</exception>
    public static void Require(float greatest, int row, int position)
    {
        if (float.IsFinite(greatest)) return;
        throw new NonFiniteOutputException(
            FormattableString.Invariant($"the model gives a logit of {greatest} for the token at position {position}"), $"prompt {row}");
    }
}
