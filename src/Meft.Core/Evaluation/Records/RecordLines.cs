using System.Text.Json;

namespace Meft.Core.Evaluation.Records;

/// <summary>Finds the line of every record of a JSON document, which the document's own elements do not know.</summary>
internal ref struct RecordLines
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly IReadOnlyList<string?> _steps;
    private readonly List<int> _lines = [];
    private Utf8JsonReader _reader;
    private int _line = 1;
    private int _counted;

    private RecordLines(ReadOnlySpan<byte> json, IReadOnlyList<string?> steps)
    {
        _json = json;
        _steps = steps;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = RecordFile.MaxDepth });
    }

    /// <summary>The lines, counted from 1, in the order of the records.</summary>
    /// <param name="json">A JSON document in UTF-8.</param>
    /// <param name="steps">As <see cref="RecordPath.Steps"/>.</param>
    /// <exception cref="JsonException">The text is no JSON.</exception>
    public static IReadOnlyList<int> Of(ReadOnlySpan<byte> json, IReadOnlyList<string?> steps)
    {
        var lines = new RecordLines(json, steps);
        if (lines._reader.Read()) lines.Walk(0);
        return lines._lines;
    }

    /// <summary>Whether the reader's token is a name; one that is no Unicode is not, and reading the record refuses it.</summary>
    private bool IsNamed(string name)
    {
        try
        {
            return _reader.ValueTextEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Goes over the value that begins at the reader's token.</summary>
    private void Walk(int step)
    {
        if (step == _steps.Count)
        {
            _lines.Add(LineOfToken());
            _reader.Skip();
        }
        else if (_steps[step] is null && _reader.TokenType == JsonTokenType.StartArray)
        {
            while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray) Walk(step + 1);
        }
        else if (_steps[step] is { } name && _reader.TokenType == JsonTokenType.StartObject)
        {
            while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMeant = IsNamed(name);
                _reader.Read();
                if (isMeant) Walk(step + 1);
                else _reader.Skip();
            }
        }
        else
        {
            _reader.Skip();
        }
    }

    private int LineOfToken()
    {
        var place = (int)_reader.TokenStartIndex;
        _line += _json[_counted..place].Count((byte)'\n');
        _counted = place;
        return _line;
    }
}
