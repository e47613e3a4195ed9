using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>The rows of a run as tokens, all of them checked: within the model's limits and with something to train on.</summary>
/// <param name="Rows">The rows, in the order of the files.</param>
/// <param name="Audit">What became of the files' rows.</param>
public sealed record TokenDataset(IReadOnlyList<TokenRow> Rows, DataAudit Audit)
{
    /// <summary>How many rows had their end cut off (<c>over_length: truncate</c>).</summary>
    public int TruncatedRows => Audit.TruncatedRows;

    /// <summary>How many rows were left out (<c>over_length: drop</c>).</summary>
    public int DroppedRows => Audit.DroppedRows;

    /// <summary>Reads and tokenises files.</summary>
    /// <param name="files">The files, in order: <c>data.train</c> or <c>data.validation</c>.</param>
    /// <param name="data">The form of the rows, the longest length, what happens to longer ones.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="template">Gives the model's chat template; called where the files have conversations.</param>
    /// <exception cref="InvalidInputException">A file or a row cannot be used; the error names its place.</exception>
    public static TokenDataset Load(
        IEnumerable<string> files, DataConfig data, ITokenizer tokenizer, ModelLimits limits, Func<ChatTemplate> template)
    {
        var auditor = new DataAuditor();
        List<TokenRow> rows = [.. TrainingRows.Read(files, data, tokenizer, limits, template, auditor)];
        return new TokenDataset(rows, auditor.ToAudit(tokenizer));
    }
}
