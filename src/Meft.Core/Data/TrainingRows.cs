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
    /// <param name="data">The form of the rows, the longest length, what happens to longer rows and to those that cannot be used.</param>
    /// <param name="tokenizer">The model's tokenizer; not used for rows of ids.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="template">Gives the model's chat template; called where the files have conversations.</param>
    /// <param name="auditor">Counts what becomes of the rows. It is complete once the stream has been read to its end.</param>
    /// <exception cref="DataRefusedException">At the end of the stream: rows cannot be used or are too long, and the data config forbids that.</exception>
    /// <exception cref="InvalidInputException">A file cannot be read, or no row is left.</exception>
    public static IEnumerable<TokenRow> Read(
        IEnumerable<string> files, DataConfig data, ITokenizer tokenizer, ModelLimits limits, Func<ChatTemplate> template, DataAuditor auditor)
    {
        foreach (var row in Examine(files, data, tokenizer, limits, template, auditor)) yield return row;
        if (auditor.RowsRefused > 0 && data.BadRows == BadRows.Error)
            throw DataRefusedException.OfRows(auditor.ToAudit(tokenizer), auditor.OnlyRefused);
        if (auditor.RowsTooLong > 0 && data.OverLength == OverLength.Error)
            throw DataRefusedException.OfLength(auditor.ToAudit(tokenizer), data.MaxLength, limits.MaxPositions);
        if (auditor.RowsKept > 0) yield break;
        throw auditor.RowsRefused > 0
            ? new InvalidInputException("no row is left: all that are not too long cannot be used", null, null, "Set data.bad_rows: error to see why")
            : new InvalidInputException(
                $"all {auditor.RowsTooLong} rows are longer than {auditor.MaxLength} tokens and were dropped", null, null, "Raise data.max_length");
    }

    /// <summary>As <see cref="Read"/>, but rows that cannot be used or are too long are only counted, and left out.</summary>
    /// <inheritdoc cref="Read"/>
    public static IEnumerable<TokenRow> Examine(
        IEnumerable<string> files, DataConfig data, ITokenizer tokenizer, ModelLimits limits, Func<ChatTemplate> template, DataAuditor auditor)
    {
        auditor.MaxLength = Math.Min(data.MaxLength, limits.MaxPositions);
        var steps = new RowSteps(new RowTokenizer(tokenizer, limits.EndToken, data.TrainOnPrompt, template), tokenizer, limits, data.OverLength, auditor);
        foreach (var raw in files.SelectMany(file => RowFile.Examine(file, data.Format, tokenizer, auditor.MaxLength)))
        {
            foreach (var row in steps.Take(raw))
            {
                auditor.CountKept(row);
                yield return row;
            }
        }
    }

    /// <summary>What happens to each row.</summary>
    private sealed class RowSteps(RowTokenizer rows, ITokenizer tokenizer, ModelLimits limits, OverLength overLength, DataAuditor auditor)
    {
        public List<TokenRow> Take(RawRow raw)
        {
            auditor.CountRead();
            try
            {
                if (raw is UnreadableRow bad) throw bad.Error;
                var tokenized = rows.TokenizeRows(raw);
                foreach (var row in tokenized) limits.RequireInVocabulary(row);
                if (tokenized.All(row => row.TrainedTokens == 0)) return Refuse(NothingToTrain(raw));
                if (raw is MessagesRow && tokenized.Count > 1) auditor.CountSplit();
                return Fit(tokenized, raw);
            }
            catch (RowException e)
            {
                auditor.CountRefused(e, hasNothingToTrain: false);
                return [];
            }
        }

        private List<TokenRow> Refuse(RowException error)
        {
            auditor.CountRefused(error, hasNothingToTrain: true);
            return [];
        }

        /// <summary>The rows as rows that are no longer than allowed; none where they are left out.</summary>
        private List<TokenRow> Fit(IReadOnlyList<TokenRow> tokenized, RawRow raw)
        {
            if (raw is TextRow)
            {
                List<TokenRow> pieces = [.. rows.Cut(tokenized[0], auditor.MaxLength)];
                if (pieces.Count > 1) auditor.CountCut();
                if (!Ends(pieces[^1], raw)) auditor.CountWithoutEnd();
                return pieces;
            }
            var kept = new List<TokenRow>();
            foreach (var row in tokenized)
            {
                var fitting = row;
                if (row.Length > auditor.MaxLength)
                {
                    if (overLength == OverLength.Truncate)
                    {
                        fitting = new TokenRow(row.InputIds[..auditor.MaxLength], row.Labels[..auditor.MaxLength], row.Origin);
                        if (fitting.TrainedTokens == 0) return Refuse(NothingLeft(row));
                    }
                    auditor.CountTooLong(row, overLength);
                    if (overLength != OverLength.Truncate) continue;
                }
                if (!Ends(fitting, raw)) auditor.CountWithoutEnd();
                kept.Add(fitting);
            }
            return kept;
        }

        /// <summary>Whether the last trained token is one that ends something. Of rows of ids only the model's end token is known to.</summary>
        private bool Ends(TokenRow row, RawRow raw)
        {
            var last = Array.FindLastIndex(row.Labels, label => label != TokenRow.Ignored);
            return last >= 0 && (row.Labels[last] == limits.EndToken || (raw is MessagesRow && tokenizer.IsSpecial(row.Labels[last])));
        }

        private RowException NothingLeft(TokenRow row) => new(
            $"the row of {row.Length} tokens has nothing to train on once it is truncated to {auditor.MaxLength}", row.Origin, null,
            "Raise data.max_length, shorten the prompt, or set data.over_length: drop");

        private static RowException NothingToTrain(RawRow raw)
        {
            var reason = raw switch
            {
                TextRow { Text.Length: 0 } => ": its text is empty",
                PromptRow => ": it has a prompt and no completion",
                PromptCompletionRow { Completion.Length: 0 } => ": its completion is empty",
                InstructionRow { Output: null } => ": it has an instruction and no output",
                InstructionRow { Output.Length: 0 } => ": its output is empty",
                MessagesRow => ": it has no message of the assistant's, or only empty ones",
                TokenIdsRow { InputIds.Length: 0 } => ": it has no ids",
                TokenIdsRow { Labels: not null } => ": every label after the first is -100",
                _ => ": it has a single token, and a token is predicted from those before it",
            };
            return new RowException($"the row has nothing to train on{reason}", raw.Origin, "at least one trained token after the first", "Remove or complete the row");
        }
    }
}
