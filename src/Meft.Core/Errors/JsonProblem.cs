using System.Text.Json;

namespace Meft.Core.Errors;

/// <summary>What is wrong with a text that is no JSON, as a person counts lines and bytes: from 1.</summary>
internal static class JsonProblem
{
    /// <summary>The words of an error that reading JSON ended in; of the parser's own on one line, with where it stopped.</summary>
    /// <param name="error">The error.</param>
    public static string Of(Exception error)
    {
        if (error is not JsonException malformed) return error.Message;
        var words = error.Message.ReplaceLineEndings(" ");
        foreach (var place in new[] { " Path: ", " LineNumber: " })
        {
            if (words.IndexOf(place, StringComparison.Ordinal) is >= 0 and var end) words = words[..end];
        }
        words = words.TrimEnd('.', ' ');
        return malformed is { LineNumber: { } line, BytePositionInLine: { } position } ? $"{words} (line {line + 1}, byte {position + 1})" : words;
    }
}
