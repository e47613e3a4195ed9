using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Meft.Core.Errors;

namespace Meft.Core.Data.Files;

/// <summary>Reads <c>.csv</c> as RFC 4180 has it, in UTF-8: commas, quotes doubled inside quotes, a first row that names the columns.</summary>
internal static class CsvFile
{
    private const string Allowed = "fields parted by commas; a field with a comma, a quote or a line break in quotes, its own quotes doubled (RFC 4180)";

    /// <summary>The rows in order, lazily.</summary>
    /// <exception cref="InvalidInputException">The file cannot be read, or its first row names no known column, or one twice.</exception>
    public static IEnumerable<FileRow> Read(string path)
    {
        // Bytes are read as Latin-1 characters, one each, so that a row that is no UTF-8 can be told by its line.
        using var reader = new StreamReader(DataFile.Open(path, skipMark: true), Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        var isBroken = false;
        using var parser = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            BadDataFound = _ => isBroken = true,
            IgnoreBlankLines = false,
        });
        string[]? header = null;
        var line = 1;
        while (Next(parser, path) is { } record)
        {
            var origin = new RowOrigin(path, line);
            // The number of the line that the next row begins on.
            line = parser.RawRow + 1;
            var wasBroken = isBroken;
            isBroken = false;
            if (record is [""] or []) continue;
            if (header is null) header = Header(record, wasBroken, origin);
            else yield return Row(header, record, wasBroken, origin);
        }
    }

    private static string[]? Next(CsvParser parser, string path)
    {
        try
        {
            return parser.Read() ? parser.Record : null;
        }
        catch (IOException e)
        {
            throw DataFile.Unreadable(path, e);
        }
        catch (CsvHelperException e)
        {
            throw new InvalidInputException($"the row cannot be read: {e.Message.ReplaceLineEndings(" ")}", $"{path}:{parser.RawRow}", Allowed, null, e);
        }
    }

    private static string[] Header(string[] record, bool isBroken, RowOrigin origin)
    {
        if (isBroken) throw Broken(origin);
        string[] names = [.. record.Select(cell => TextLines.Decode(cell, origin.File, origin.Line).Trim())];
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidInputException($"the first row names the column \"{twice.Key}\" twice", origin.ToString(), "each column once");
        if (names.Any(JsonRow.IsTellingKey)) return names;
        throw new InvalidInputException(
            $"the first row names no column that rows are made of ({string.Join(", ", names.Take(8).Select(n => $"\"{n}\""))})", origin.ToString(),
            JsonRow.AllowedKeys, "Write the columns' names, parted by commas, into the first row");
    }

    private static FileRow Row(string[] header, string[] record, bool isBroken, RowOrigin origin)
    {
        if (isBroken) return FileRow.Bad(Broken(origin));
        if (record.Length != header.Length)
        {
            return FileRow.Bad(new RowException(
                $"the row has {record.Length} {(record.Length == 1 ? "field" : "fields")} and the first row names {header.Length} columns", origin, Allowed));
        }
        try
        {
            return CellObject.Of(header.Select((name, i) => KeyValuePair.Create(name, (object?)TextLines.Decode(record[i], origin.File, origin.Line))), origin);
        }
        catch (RowException e)
        {
            return FileRow.Bad(e);
        }
    }

    private static RowException Broken(RowOrigin origin) => new("a quote is not closed, or stands in a field without being doubled", origin, Allowed);
}
