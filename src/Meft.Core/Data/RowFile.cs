using Meft.Core.Configuration;
using Meft.Core.Data.Files;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>Reads the rows of a data file: .jsonl, .json, .csv, .parquet or .txt.</summary>
public static class RowFile
{
    private static readonly Dictionary<string, Func<string, IEnumerable<FileRow>>> Readers = new(StringComparer.OrdinalIgnoreCase)
    {
        [".jsonl"] = JsonLinesFile.Read,
        [".json"] = JsonArrayFile.Read,
        [".csv"] = CsvFile.Read,
        [".parquet"] = ParquetFile.Read,
    };

    /// <summary>The endings of files that can be read.</summary>
    public static IReadOnlyList<string> Endings { get; } = [.. Readers.Keys, ".txt"];

    /// <summary>Reads the rows in order, lazily.</summary>
    /// <param name="path">The file; its ending tells how it is read.</param>
    /// <param name="format">The rows' form; <see cref="RowFormat.Auto"/> takes that of the file's first row.</param>
    /// <param name="tokenizer">Measures paragraphs of a .txt file.</param>
    /// <param name="maxLength">The most tokens that paragraphs of a .txt file are joined to.</param>
    /// <exception cref="InvalidInputException">The file is missing, empty, of an unknown kind, or a row cannot be read.</exception>
    public static IEnumerable<RawRow> Read(string path, RowFormat format, ITokenizer tokenizer, int maxLength) =>
        Examine(path, format, tokenizer, maxLength).Select(row => row is UnreadableRow bad ? throw bad.Error : row);

    /// <summary>As <see cref="Read"/>, but a row that cannot be read is given as an <see cref="UnreadableRow"/>, and reading goes on after it.</summary>
    /// <exception cref="InvalidInputException">The file is missing, empty, of an unknown kind, or damaged beyond a row.</exception>
    public static IEnumerable<RawRow> Examine(string path, RowFormat format, ITokenizer tokenizer, int maxLength)
    {
        var ending = Path.GetExtension(path);
        IEnumerable<RawRow> rows;
        if (Readers.TryGetValue(ending, out var reader)) rows = Interpret(reader(path), format);
        else if (ending.Equals(".txt", StringComparison.OrdinalIgnoreCase)) rows = ReadText(path, format, tokenizer, maxLength);
        else throw new InvalidInputException($"the ending '{ending}' is of no kind of file that can be read", path, string.Join(", ", Endings));
        var empty = true;
        foreach (var row in rows)
        {
            empty = false;
            yield return row;
        }
        if (empty) throw new InvalidInputException("the data file holds no rows", path, "at least one row");
    }

    private static IEnumerable<RawRow> Interpret(IEnumerable<FileRow> rows, RowFormat format)
    {
        (RowFormat Format, RowOrigin Origin)? first = null;
        foreach (var row in rows) yield return row.Error is null ? Interpret(row, format, ref first) : new UnreadableRow(row.Error);
    }

    private static RawRow Interpret(FileRow row, RowFormat format, ref (RowFormat Format, RowOrigin Origin)? first)
    {
        try
        {
            var (read, told) = JsonRow.Read(row.Value, row.Origin, format);
            first ??= (told, row.Origin);
            if (told == first.Value.Format) return read;
            return new UnreadableRow(new RowException(
                $"the row is of the form {JsonRow.KeysOf(told)}, but the file's first row ({Place(first.Value.Origin)}) is of the form "
                + JsonRow.KeysOf(first.Value.Format), row.Origin, "rows of one form in a file", "Split the file by form"));
        }
        catch (RowException e)
        {
            return new UnreadableRow(e);
        }
        catch (InvalidOperationException e)
        {
            // What JSON takes and text does not: half of a surrogate pair, or bytes that are no UTF-8.
            return new UnreadableRow(new RowException("the row holds a character that Unicode does not have", row.Origin, "Unicode text", null, e));
        }
    }

    private static string Place(RowOrigin origin) => origin.Line > 0 ? $"line {origin.Line}" : $"row {origin.Number}";

    private static IEnumerable<RawRow> ReadText(string path, RowFormat format, ITokenizer tokenizer, int maxLength)
    {
        if (format is not (RowFormat.Auto or RowFormat.Text))
        {
            throw new InvalidInputException(
                $"a .txt file holds texts, not rows of the form {JsonRow.KeysOf(format)}", path, "auto | text (data.format) for a .txt file");
        }
        return PlainText.Split(path, paragraph => tokenizer.Encode(paragraph, addSpecialTokens: false).Length, maxLength - tokenizer.BeginTokens.Count - 1);
    }
}
