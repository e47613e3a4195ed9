using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>
/// Reads rows to train on as a stream: each is tokenised, checked, and cut where it is too long, and only one is held at a time.
/// </summary>
public static class TrainingRows
{
    /// <summary>Reads the rows of files in order, lazily.</summary>
    /// <param name="files">The files, in order: <c>data.train</c> or <c>data.validation</c>.</param>
    /// <param name="data">The form of the rows, the longest length, what happens to longer ones.</param>
    /// <param name="tokenizer">The model's tokenizer; not used for rows of ids.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="template">Gives the model's chat template; called where the files have conversations.</param>
    /// <param name="auditor">Counts what becomes of the rows. It is complete once the stream has been read to its end.</param>
    /// <exception cref="InvalidInputException">
    /// A file cannot be read; or, at the end of the stream, rows cannot be used or are too long: the error names their places.
    /// </exception>
    public static IEnumerable<TokenRow> Read(
        IEnumerable<string> files, DataConfig data, ITokenizer tokenizer, ModelLimits limits, Func<ChatTemplate> template, DataAuditor auditor)
    {
        var maxLength = Math.Min(data.MaxLength, limits.MaxPositions);
        var rowTokenizer = new RowTokenizer(tokenizer, limits.EndToken, data.TrainOnPrompt);
        foreach (var raw in files.SelectMany(file => RowFile.Read(file, data.Format, tokenizer, maxLength)))
        {
            auditor.CountRead();
            var row = rowTokenizer.Tokenize(raw);
            limits.RequireInVocabulary(row);
            CheckTrained(row, raw);
            foreach (var fitting in Fit(row, raw, rowTokenizer, maxLength, data.OverLength, auditor))
            {
                auditor.CountKept();
                yield return fitting;
            }
        }
        if (auditor.TooLong > 0 && data.OverLength == OverLength.Error) throw TooLong(auditor, data.MaxLength, limits.MaxPositions);
        if (auditor.Kept == 0)
        {
            throw new InvalidInputException(
                $"all {auditor.TooLong} rows are longer than {maxLength} tokens and were dropped", null, null, "Raise data.max_length");
        }
    }

    /// <summary>The row as rows that are no longer than allowed; none where it is left out.</summary>
    private static IEnumerable<TokenRow> Fit(
        TokenRow row, RawRow raw, RowTokenizer rowTokenizer, int maxLength, OverLength overLength, DataAuditor auditor)
    {
        if (raw is TextRow) return rowTokenizer.Cut(row, maxLength);
        if (row.Length <= maxLength) return [row];
        auditor.CountTooLong(row, overLength);
        return overLength == OverLength.Truncate ? [Truncate(row, maxLength)] : [];
    }

    private static void CheckTrained(TokenRow row, RawRow raw)
    {
        if (row.TrainedTokens > 0) return;
        var reason = raw switch
        {
            TextRow { Text.Length: 0 } => ": its text is empty",
            PromptRow => ": it has a prompt and no completion",
            PromptCompletionRow { Completion.Length: 0 } => ": its completion is empty",
            TokenIdsRow { InputIds.Length: 0 } => ": it has no ids",
            TokenIdsRow { Labels: not null } => ": every label after the first is -100",
            _ => ": it has a single token, and a token is predicted from those before it",
        };
        throw new RowException($"the row has nothing to train on{reason}", row.Origin, "at least one trained token after the first", "Remove or complete the row");
    }

    private static TokenRow Truncate(TokenRow row, int maxLength)
    {
        var cut = new TokenRow(row.InputIds[..maxLength], row.Labels[..maxLength], row.Origin);
        return cut.TrainedTokens > 0 ? cut : throw new RowException(
            $"the row of {row.Length} tokens has nothing to train on once it is truncated to {maxLength}", row.Origin, null,
            "Raise data.max_length, shorten the prompt, or set data.over_length: drop");
    }

    private static InvalidInputException TooLong(DataAuditor auditor, int maxLength, int maxPositions)
    {
        var longest = string.Join(", ", auditor.Longest.Select(r => $"{r.Origin} ({r.Length} tokens)"));
        var rows = auditor.TooLong == 1 ? "1 row is" : $"{auditor.TooLong} rows are";
        return maxPositions < maxLength
            ? new InvalidInputException(
                $"{rows} longer than the {maxPositions} tokens that the model allows, the longest: {longest}", null,
                $"at most {maxPositions} tokens a row", "Shorten the rows, or set data.over_length to truncate or drop")
            : new InvalidInputException(
                $"{rows} longer than data.max_length {maxLength}, the longest: {longest}", null,
                $"at most {maxLength} tokens a row", $"Raise data.max_length (the model allows {maxPositions}), or set data.over_length to truncate or drop");
    }
}
