using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>The rows of a run as tokens, all of them checked: within the model's limits and with something to train on.</summary>
public sealed class TokenDataset
{
    private const int NamedRows = 5;

    private TokenDataset(IReadOnlyList<TokenRow> rows, int truncated, int dropped)
    {
        Rows = rows;
        TruncatedRows = truncated;
        DroppedRows = dropped;
    }

    /// <summary>The rows, in the order of the files.</summary>
    public IReadOnlyList<TokenRow> Rows { get; }

    /// <summary>How many rows had their end cut off (<c>over_length: truncate</c>).</summary>
    public int TruncatedRows { get; }

    /// <summary>How many rows were left out (<c>over_length: drop</c>).</summary>
    public int DroppedRows { get; }

    /// <summary>Reads and tokenises files.</summary>
    /// <param name="files">The files, in order: <c>data.train</c> or <c>data.validation</c>.</param>
    /// <param name="data">The form of the rows, the longest length, what happens to longer ones.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="limits">What the model takes.</param>
    /// <exception cref="InvalidInputException">A file or a row cannot be used; the error names its place.</exception>
    public static TokenDataset Load(IEnumerable<string> files, DataConfig data, ITokenizer tokenizer, ModelLimits limits)
    {
        var maxLength = Math.Min(data.MaxLength, limits.MaxPositions);
        var rowTokenizer = new RowTokenizer(tokenizer, limits.EndToken, data.TrainOnPrompt);
        var rows = new List<TokenRow>();
        var tooLong = new List<TokenRow>();
        foreach (var file in files)
        {
            foreach (var raw in RowFile.Read(file, data.Format, tokenizer, maxLength))
            {
                var row = rowTokenizer.Tokenize(raw);
                limits.RequireInVocabulary(row);
                CheckTrained(row, raw);
                if (raw is TextRow) rows.AddRange(rowTokenizer.Cut(row, maxLength));
                else if (row.Length <= maxLength) rows.Add(row);
                else
                {
                    tooLong.Add(row);
                    if (data.OverLength == OverLength.Truncate) rows.Add(Truncate(row, maxLength));
                }
            }
        }
        if (tooLong.Count > 0 && data.OverLength == OverLength.Error) throw TooLong(tooLong, data.MaxLength, limits.MaxPositions);
        if (rows.Count == 0)
            throw new InvalidInputException($"all {tooLong.Count} rows are longer than {maxLength} tokens and were dropped", null, null, "Raise data.max_length");
        return new TokenDataset(
            rows, data.OverLength == OverLength.Truncate ? tooLong.Count : 0, data.OverLength == OverLength.Drop ? tooLong.Count : 0);
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
        throw new InvalidInputException($"the row has nothing to train on{reason}", row.Origin.ToString(), "at least one trained token after the first", "Remove or complete the row");
    }

    private static TokenRow Truncate(TokenRow row, int maxLength)
    {
        var cut = new TokenRow(row.InputIds[..maxLength], row.Labels[..maxLength], row.Origin);
        return cut.TrainedTokens > 0 ? cut : throw new InvalidInputException(
            $"the row of {row.Length} tokens has nothing to train on once it is truncated to {maxLength}", row.Origin.ToString(), null,
            "Raise data.max_length, shorten the prompt, or set data.over_length: drop");
    }

    private static InvalidInputException TooLong(List<TokenRow> tooLong, int maxLength, int maxPositions)
    {
        var longest = tooLong.OrderByDescending(r => r.Length).Take(NamedRows).Select(r => $"{r.Origin} ({r.Length} tokens)");
        var rows = tooLong.Count == 1 ? "1 row is" : $"{tooLong.Count} rows are";
        return maxPositions < maxLength
            ? new InvalidInputException(
                $"{rows} longer than the {maxPositions} tokens that the model allows, the longest: {string.Join(", ", longest)}", null,
                $"at most {maxPositions} tokens a row", "Shorten the rows, or set data.over_length to truncate or drop")
            : new InvalidInputException(
                $"{rows} longer than data.max_length {maxLength}, the longest: {string.Join(", ", longest)}", null,
                $"at most {maxLength} tokens a row", $"Raise data.max_length (the model allows {maxPositions}), or set data.over_length to truncate or drop");
    }
}
