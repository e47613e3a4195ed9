using System.Text.Json;

namespace Meft.Core.Data.Files;

/// <summary>Reads <c>.jsonl</c>: one JSON object a line; blank lines are skipped.</summary>
internal static class JsonLinesFile
{
    /// <summary>The rows in order, lazily.</summary>
    public static IEnumerable<FileRow> Read(string path)
    {
        foreach (var (number, raw) in TextLines.ReadRaw(path))
        {
            if (!string.IsNullOrWhiteSpace(raw)) yield return Parse(raw, path, number);
        }
    }

    private static FileRow Parse(string raw, string path, int number)
    {
        var origin = new RowOrigin(path, number);
        try
        {
            var text = TextLines.Decode(raw, path, number);
            using var document = JsonDocument.Parse(text);
            return new FileRow(origin, document.RootElement.Clone());
        }
        catch (RowException e)
        {
            return FileRow.Bad(e);
        }
        catch (JsonException e)
        {
            return FileRow.Bad(new RowException(
                $"the line is no valid JSON (byte {e.BytePositionInLine + 1 ?? 1} of the line)", origin, "one JSON object a line", null, e));
        }
    }
}
