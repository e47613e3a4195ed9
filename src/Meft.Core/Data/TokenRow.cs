namespace Meft.Core.Data;

/// <summary>A row of tokens.</summary>
/// <param name="InputIds">The ids.</param>
/// <param name="Labels">
/// As many labels: the id at the same position where it is trained, else <see cref="Ignored"/>. The shift by one happens in the loss, which
/// predicts the label at a position from the ids before it; so the label of the first position is never used.
/// </param>
/// <param name="Origin">Where the row came from.</param>
public sealed record TokenRow(int[] InputIds, int[] Labels, RowOrigin Origin)
{
    /// <summary>The label of a position that is not trained.</summary>
    public const int Ignored = -100;

    /// <summary>How many ids the row has.</summary>
    public int Length => InputIds.Length;

    /// <summary>How many tokens the loss counts: labels after the first position that are not <see cref="Ignored"/>.</summary>
    public int TrainedTokens { get; } = CountTrained(Labels);

    private static int CountTrained(int[] labels)
    {
        var count = 0;
        for (var i = 1; i < labels.Length; i++)
        {
            if (labels[i] != Ignored) count++;
        }
        return count;
    }
}
