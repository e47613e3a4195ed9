using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>A row to score: its tokens, in several pieces where it is a text longer than a piece may be.</summary>
/// <param name="Origin">Where it came from.</param>
/// <param name="Pieces">At least one; each is scored without sight of the others.</param>
public sealed record ScoringRow(RowOrigin Origin, IReadOnlyList<TokenRow> Pieces);

/// <summary>Reads the rows of a file for scoring; every one is checked, so that an error names the row's file and line.</summary>
public static class ScoringRows
{
    /// <summary>Reads rows in order, lazily. One row of the file is one row here, however long it is.</summary>
    /// <param name="path">The file.</param>
    /// <param name="format">The rows' form.</param>
    /// <param name="tokenizer">The model's tokenizer; not used for rows of ids.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="maxLength">The most tokens of a piece; longer texts are cut.</param>
    /// <param name="template">Gives the model's chat template; called where the file has conversations.</param>
    /// <exception cref="InvalidInputException">The file or a row cannot be read, or a row cannot be scored.</exception>
    public static IEnumerable<ScoringRow> Read(string path, RowFormat format, ITokenizer tokenizer, ModelLimits limits, int maxLength, Func<ChatTemplate> template)
    {
        var longest = Math.Min(maxLength, limits.MaxPositions);
        var rows = new RowTokenizer(tokenizer, limits.EndToken, trainOnPrompt: false, template);
        foreach (var raw in RowFile.Read(path, format, tokenizer, longest))
        {
            var tokenized = rows.TokenizeRows(raw);
            foreach (var row in tokenized)
            {
                limits.RequireInVocabulary(row);
                if (row.TrainedTokens == 0) throw NothingToScore(raw);
                if (raw is not TextRow && row.Length > limits.MaxPositions)
                {
                    throw new InvalidInputException(
                        $"the row has {row.Length} tokens", row.Origin.ToString(), $"at most {limits.MaxPositions}, the model's positions",
                        "Shorten the row");
                }
            }
            yield return new ScoringRow(raw.Origin, raw is TextRow ? [.. rows.Cut(tokenized[0], longest)] : tokenized);
        }
    }

    private static InvalidInputException NothingToScore(RawRow row) => new(
        "the row has nothing to score", row.Origin.ToString(),
        row is PromptRow or InstructionRow { Output: null } ? "a \"completion\" beside the \"prompt\"" : "at least one token after the first, labelled where there are labels",
        "Remove or complete the row");
}
