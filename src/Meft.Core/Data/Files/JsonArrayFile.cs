using System.Text.Json;
using Meft.Core.Errors;

namespace Meft.Core.Data.Files;

/// <summary>
/// Reads <c>.json</c>: one list of objects. Only one object is held at a time, so that the file may be larger than memory. What follows a
/// place that is no JSON cannot be read, so that such a place is an error of the file.
/// </summary>
internal sealed class JsonArrayFile
{
    private const string Allowed = "a list of objects: [{…}, {…}]";
    private const int FirstBufferBytes = 1 << 16;

    private readonly Stream _stream;
    private readonly string _path;
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _start, _end, _line = 1, _number;
    private bool _atEnd, _isOpen, _isClosed;
    private JsonReaderState _state;

    private JsonArrayFile(Stream stream, string path)
    {
        _stream = stream;
        _path = path;
    }

    /// <summary>The rows in order, lazily.</summary>
    /// <exception cref="InvalidInputException">The file is no list, or no JSON from some place on.</exception>
    public static IEnumerable<FileRow> Read(string path)
    {
        using var stream = DataFile.Open(path, skipMark: true);
        var file = new JsonArrayFile(stream, path);
        while (file.Next() is { } row) yield return row;
    }

    /// <summary>The next row; null at the end.</summary>
    private FileRow? Next()
    {
        while (true)
        {
            try
            {
                if (TryStep(out var row)) return row;
            }
            catch (JsonException e)
            {
                throw new InvalidInputException(
                    _number == 0 && !_isOpen ? "the file is no valid JSON" : $"the file is no valid JSON after row {_number}",
                    $"{_path}:{e.LineNumber + 1 ?? _line}", Allowed, "Mend the file from there on", e);
            }
            if (_isClosed && _atEnd && _start == _end) return null;
            Fill();
        }
    }

    /// <summary>Reads on in what is buffered. False if more bytes are needed first; true with no row at the end of the file.</summary>
    private bool TryStep(out FileRow? row)
    {
        row = null;
        if (_atEnd && !_isOpen && IsBlank()) return true;
        while (true)
        {
            var reader = new Utf8JsonReader(_buffer.AsSpan(_start.._end), _atEnd, _state);
            if (!reader.Read()) return _isClosed && _atEnd;
            if (!_isOpen)
            {
                if (reader.TokenType != JsonTokenType.StartArray) throw NoList(reader.TokenType);
                _isOpen = true;
                Consume(reader);
                continue;
            }
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                _isClosed = true;
                Consume(reader);
                continue;
            }
            var line = _line + LineBreaks(_start, _start + (int)reader.TokenStartIndex);
            if (!JsonDocument.TryParseValue(ref reader, out var document)) return false;
            using (document)
            {
                Consume(reader);
                row = new FileRow(new RowOrigin(_path, line, ++_number), document.RootElement.Clone());
                return true;
            }
        }
    }

    private InvalidInputException NoList(JsonTokenType found) => new(
        $"the file is {(found == JsonTokenType.StartObject ? "an object" : "a single value")}, not a list", _path, Allowed,
        "A file with one object a line is named .jsonl");

    private bool IsBlank() => _buffer.AsSpan(_start.._end).IndexOfAnyExcept(" \t\r\n"u8) < 0;

    private void Consume(Utf8JsonReader reader)
    {
        var consumed = (int)reader.BytesConsumed;
        _line += LineBreaks(_start, _start + consumed);
        _start += consumed;
        _state = reader.CurrentState;
    }

    private int LineBreaks(int from, int to) => _buffer.AsSpan(from..to).Count((byte)'\n');

    /// <summary>Reads more bytes behind those that wait; the buffer grows with the longest row.</summary>
    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        else if (_end == _buffer.Length)
        {
            if (_buffer.Length >= Array.MaxLength / 2)
                throw new InvalidInputException($"row {_number + 1} has more than a gigabyte", $"{_path}:{_line}", "rows that fit into memory");
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }
        try
        {
            var read = _stream.ReadAtLeast(_buffer.AsSpan(_end), _buffer.Length - _end, throwOnEndOfStream: false);
            _atEnd = read < _buffer.Length - _end;
            _end += read;
        }
        catch (IOException e)
        {
            throw DataFile.Unreadable(_path, e);
        }
    }
}
