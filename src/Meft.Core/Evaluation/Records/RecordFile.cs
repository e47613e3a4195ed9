using System.Text;
using System.Text.Json;
using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Data;
using Meft.Core.Data.Files;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Core.Evaluation.Records;

/// <summary>Reads the records of a data file: .jsonl (a document a line), .json (one document), .txt (texts).</summary>
internal static class RecordFile
{
    /// <summary>How deeply JSON may be nested; trees of searches, as ToolBench's answers hold them, are.</summary>
    public const int MaxDepth = 512;

    private const string TextField = "text";

    private static readonly string[] Endings = [".jsonl", ".json", ".txt"];
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>The files that a path stands for: itself, or in a folder those that can be read, by name.</summary>
    /// <exception cref="InvalidInputException">There is nothing there that can be read.</exception>
    public static IReadOnlyList<string> FilesOf(string path)
    {
        if (Directory.Exists(path))
        {
            var files = Directory.EnumerateFiles(path).Where(f => Endings.Contains(Path.GetExtension(f).ToLowerInvariant()))
                .Order(StringComparer.Ordinal).ToList();
            return files.Count > 0 ? files : throw new InvalidInputException("the folder holds no data file", path, string.Join(", ", Endings));
        }
        if (!File.Exists(path))
        {
            throw new InvalidInputException(
                "the data file does not exist", path, null, NearestPath.IfClose(path) is { } nearest ? $"Did you mean {nearest}?" : "Correct the path");
        }
        return Endings.Contains(Path.GetExtension(path).ToLowerInvariant())
            ? [path]
            : throw new InvalidInputException($"the ending '{Path.GetExtension(path)}' is of no kind of file that can be read", path, string.Join(", ", Endings));
    }

    /// <summary>Reads the records in order, lazily.</summary>
    /// <param name="file">The file; its ending tells how it is read. A .txt file gives records with the field <c>text</c>, split at <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="path">Where the records stand in a document.</param>
    /// <exception cref="InvalidInputException">The file cannot be read, is no JSON, or is not built as the path says.</exception>
    public static IEnumerable<EvalRecord> Read(string file, RecordPath path) => Path.GetExtension(file).ToLowerInvariant() switch
    {
        ".jsonl" => ReadLines(file, path),
        ".json" => ReadDocument(file, path),
        _ => ReadText(file),
    };

    private static IEnumerable<EvalRecord> ReadLines(string file, RecordPath path)
    {
        foreach (var (number, line) in TextLines.Read(file))
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var origin = new RowOrigin(file, number);
            using var document = Parse(Encoding.UTF8.GetBytes(line), origin, "one JSON document a line");
            foreach (var record in new JsonRecords(path, _ => origin).Read(document.RootElement)) yield return record;
        }
    }

    private static IEnumerable<EvalRecord> ReadDocument(string file, RecordPath path)
    {
        var bytes = ReadBytes(file);
        using var document = Parse(bytes, new RowOrigin(file, 0), "one JSON document");
        if (path == RecordPath.Root && document.RootElement.ValueKind == JsonValueKind.Array) path = RecordPath.Parse("[]")!;
        var lines = RecordLines.Of(bytes, path.Steps);
        foreach (var record in new JsonRecords(path, i => new RowOrigin(file, i < lines.Count ? lines[i] : 0)).Read(document.RootElement))
            yield return record;
    }

    private static IEnumerable<EvalRecord> ReadText(string file) => PlainText.SplitAtMarker(file)
        .Select(text => new EvalRecord(text.Origin, new Dictionary<string, Value> { [TextField] = new TextValue(text.Text) }));

    private static byte[] ReadBytes(string file)
    {
        using var stream = DataFile.Open(file, skipMark: true);
        var bytes = new byte[stream.Length - stream.Position];
        try
        {
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (IOException e)
        {
            throw DataFile.Unreadable(file, e);
        }
    }

    private static JsonDocument Parse(byte[] json, RowOrigin origin, string allowed)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException e)
        {
            // In a file of one document the error's own line counts.
            var place = origin.Line > 0 ? origin : origin with { Line = (int)(e.LineNumber ?? 0) + 1 };
            throw new InvalidInputException($"no valid JSON (byte {(e.BytePositionInLine ?? 0) + 1} of the line)", place.ToString(), allowed, null, e);
        }
    }
}
