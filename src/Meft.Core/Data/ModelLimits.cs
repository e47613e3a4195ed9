namespace Meft.Core.Data;

/// <summary>What a model takes.</summary>
/// <param name="VocabularySize">Ids lie below it.</param>
/// <param name="MaxPositions">The most tokens of a sequence.</param>
/// <param name="EndToken">The end token, null where it has none.</param>
public sealed record ModelLimits(int VocabularySize, int MaxPositions, int? EndToken)
{
    /// <summary>Refuses a row with an id, or a label, that the model does not know.</summary>
    /// <exception cref="RowException">The error names the row's place, the entry and the id.</exception>
    public void RequireInVocabulary(TokenRow row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            if ((uint)row.InputIds[i] >= (uint)VocabularySize) throw OutsideVocabulary($"entry {i} of the row's input ids, {row.InputIds[i]},", row, "");
            if (row.Labels[i] != TokenRow.Ignored && (uint)row.Labels[i] >= (uint)VocabularySize)
                throw OutsideVocabulary($"entry {i} of the row's labels, {row.Labels[i]},", row, ", or -100 where not trained");
        }
    }

    private RowException OutsideVocabulary(string what, TokenRow row, string orElse) =>
        new($"{what} is outside of the model's vocabulary", row.Origin, $"ids from 0 to {VocabularySize - 1}{orElse}",
            "Check that the rows were tokenised for this model");
}
