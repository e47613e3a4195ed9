using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data.Store;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>The rows of a run as tokens, all of them checked: within the model's limits and with something to train on.</summary>
/// <param name="Rows">The rows, in the order of the files; those of large data are read from disk when they are asked for (<see cref="RowCache"/>).</param>
/// <param name="Audit">What became of the files' rows.</param>
public sealed record TokenDataset(IReadOnlyList<TokenRow> Rows, DataAudit Audit)
{
    /// <summary>The most tokens a row may have: <c>data.max_length</c>, or what the model allows where that is less.</summary>
    public int MaxLength { get; init; } = int.MaxValue;

    /// <summary>What the user should know of how the rows are held; null for nothing.</summary>
    public string? Remark { get; init; }

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
    /// <param name="cache">Keeps the tokens of large data on disk; null to hold all rows in memory.</param>
    /// <exception cref="InvalidInputException">A file or a row cannot be used; the error names its place.</exception>
    /// <exception cref="RunFailedException">The rows fit neither in memory nor on disk.</exception>
    public static TokenDataset Load(
        IEnumerable<string> files, DataConfig data, ITokenizer tokenizer, ModelLimits limits, Func<ChatTemplate> template, RowCache? cache = null)
    {
        string[] named = [.. files];
        if (named.FirstOrDefault(SpecialFile.IsStream) is { } pipe)
            throw new InvalidInputException("the data file is a pipe or a device, and rows to train on are read more than once", pipe, "a regular file", "Write the rows to a file first");
        var (all, audit, remark) = cache is null ? InMemory() : cache.Load(named, data, limits, Read);
        return new TokenDataset(all, audit) { MaxLength = Math.Min(data.MaxLength, limits.MaxPositions), Remark = remark };

        (IEnumerable<TokenRow> Rows, Func<DataAudit> Audit) Read()
        {
            var auditor = new DataAuditor();
            return (TrainingRows.Read(named, data, tokenizer, limits, template, auditor), () => auditor.ToAudit(tokenizer));
        }

        CachedRows InMemory()
        {
            var (rows, toAudit) = Read();
            List<TokenRow> held = [.. rows];
            return new CachedRows(held, toAudit());
        }
    }
}
