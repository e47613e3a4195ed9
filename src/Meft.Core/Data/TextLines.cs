using System.Text;
using Meft.Core.Errors;

namespace Meft.Core.Data;

/// <summary>Reads the lines of a UTF-8 file; every error names the file, and the line where there is one.</summary>
internal static class TextLines
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines with their numbers, counted from 1, without line ends and without a byte order mark.</summary>
    /// <exception cref="InvalidInputException">The file is missing, cannot be read, or is no UTF-8.</exception>
    public static IEnumerable<(int Number, string Text)> Read(string path)
    {
        // Bytes are read as Latin-1 characters, one each, so that a line that is no UTF-8 can be told by its number.
        using var reader = Open(path);
        for (var number = 1; ReadLine(reader, path) is { } line; number++) yield return (number, Decode(line, path, number));
    }

    private static StreamReader Open(string path)
    {
        try
        {
            return new StreamReader(path, Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException("the data file does not exist", path, null, "Correct the path", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                Directory.Exists(path) ? "is a folder, not a data file" : $"the data file cannot be read: {e.Message}", path, null, null, e);
        }
    }

    private static string? ReadLine(StreamReader reader, string path)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (IOException e)
        {
            throw new InvalidInputException($"the data file cannot be read: {e.Message}", path, null, null, e);
        }
    }

    private static string Decode(string latin1, string path, int number)
    {
        try
        {
            var text = Strict.GetString(Encoding.Latin1.GetBytes(latin1));
            return number == 1 ? text.TrimStart('\ufeff') : text;
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidInputException("the line is no valid UTF-8", $"{path}:{number}", "UTF-8 text", "Convert the file to UTF-8", e);
        }
    }
}
