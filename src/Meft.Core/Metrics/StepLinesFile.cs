using System.Buffers;
using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Metrics;

/// <summary>
/// A file of JSON objects, one a line, each with its <c>step</c>. It is appended to line by line, each written whole before the call returns, so that
/// a killed run keeps what it wrote; when a run is resumed, the lines of the steps that it will take again are removed.
/// </summary>
internal sealed class StepLinesFile : IDisposable
{
    private readonly Stream _file;
    private readonly string _what;
    private readonly ArrayBufferWriter<byte> _line = new();

    /// <summary>Opens the file, or makes it. A last line that was cut off by a crash is removed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it holds, for errors: <c>the metrics</c>.</param>
    /// <param name="keepThroughStep">Lines of later steps are removed. Null keeps all.</param>
    /// <exception cref="RunFailedException">The file cannot be opened or written.</exception>
    public StepLinesFile(string path, string what, int? keepThroughStep)
        : this(path, what, Open(path, what, keepThroughStep))
    {
    }

    /// <param name="path">The file's name, for errors.</param>
    /// <param name="what">What it holds, for errors.</param>
    /// <param name="file">The file, at the end of its last whole line; without a buffer, which would try to write once more when closed.</param>
    public StepLinesFile(string path, string what, Stream file)
    {
        Path = path;
        _what = what;
        _file = file;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Appends a line. Where that fails, the part of it that was written is removed again.</summary>
    /// <param name="write">Writes one JSON object.</param>
    /// <exception cref="RunFailedException">The file cannot be written, for example because the disk is full.</exception>
    public void Append(Action<Utf8JsonWriter> write)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line)) write(json);
        _line.Write("\n"u8);
        var whole = _file.Position;
        try
        {
            _file.Write(_line.WrittenSpan);
            _file.Flush();
        }
        catch (IOException e)
        {
            CutBack(whole);
            throw Failure(Path, _what, e);
        }
    }

    /// <summary>Closes the file; never fails, since every line was written before.</summary>
    public void Dispose()
    {
        try
        {
            _file.Dispose();
        }
        catch (IOException)
        {
            // What failed was told by Append; nothing here may take that error's place.
        }
    }

    private static FileStream Open(string path, string what, int? keepThroughStep)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            file.SetLength(KeptLength(file, keepThroughStep));
            file.Seek(0, SeekOrigin.End);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw Failure(path, what, e);
        }
    }

    private void CutBack(long length)
    {
        try
        {
            _file.SetLength(length);
            _file.Seek(length, SeekOrigin.Begin);
        }
        catch (IOException)
        {
            // The half line stays; a resumed run removes it.
        }
    }

    /// <summary>The length of the whole lines up to the last step to keep.</summary>
    private static int KeptLength(FileStream file, int? keepThroughStep)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var kept = 0;
        while (bytes.AsSpan(kept).IndexOf((byte)'\n') is var end and >= 0)
        {
            if (keepThroughStep is { } last && StepOf(bytes.AsMemory(kept, end)) > last) break;
            kept += end + 1;
        }
        return kept;
    }

    private static int StepOf(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("step", out var step)
                && step.TryGetInt32(out var number) ? number : 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A line of someone else's making: it belongs to no step, so it stays.
            return 0;
        }
    }

    private static RunFailedException Failure(string path, string what, Exception e) =>
        new($"{what} cannot be written: {e.Message}", path, null, "Check the disk's free space and the folder's permissions", e);
}
