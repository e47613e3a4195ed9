using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>Reads the rows of a data file: .jsonl or .txt.</summary>
public static class RowFile
{
    /// <summary>Reads the rows in order, lazily.</summary>
    /// <param name="path">The file; its ending tells how it is read.</param>
    /// <param name="format">The rows' form; <see cref="RowFormat.Auto"/> takes that of the file's first row.</param>
    /// <param name="tokenizer">Measures paragraphs of a .txt file.</param>
    /// <param name="maxLength">The most tokens that paragraphs of a .txt file are joined to.</param>
    /// <exception cref="InvalidInputException">The file is missing, empty, of an unknown kind, or a row cannot be read.</exception>
    public static IEnumerable<RawRow> Read(string path, RowFormat format, ITokenizer tokenizer, int maxLength)
    {
        var ending = Path.GetExtension(path);
        var rows = ending.ToLowerInvariant() switch
        {
            ".jsonl" => ReadJsonLines(path, format),
            ".txt" => ReadText(path, format, tokenizer, maxLength),
            _ => throw new InvalidInputException($"the ending '{ending}' is of no kind of file that can be read", path, ".jsonl, .txt"),
        };
        var empty = true;
        foreach (var row in rows)
        {
            empty = false;
            yield return row;
        }
        if (empty) throw new InvalidInputException("the data file holds no rows", path, "at least one row");
    }

    private static IEnumerable<RawRow> ReadJsonLines(string path, RowFormat format)
    {
        (RowFormat Format, RowOrigin Origin)? first = null;
        foreach (var (number, line) in TextLines.Read(path))
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var origin = new RowOrigin(path, number);
            var (row, told) = JsonRow.Read(line, origin, format);
            first ??= (told, origin);
            if (told != first.Value.Format)
            {
                throw new InvalidInputException(
                    $"the row is of the form {JsonRow.KeysOf(told)}, but the file's first row (line {first.Value.Origin.Line}) is of the form "
                    + JsonRow.KeysOf(first.Value.Format), origin.ToString(), "rows of one form in a file", "Split the file by form");
            }
            yield return row;
        }
    }

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
