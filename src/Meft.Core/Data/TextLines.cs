using System.Text;
using Meft.Core.Data.Files;
using Meft.Core.Errors;

namespace Meft.Core.Data;

/// <summary>Reads the lines of a UTF-8 file; every error names the file, and the line where there is one.</summary>
internal static class TextLines
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines with their numbers, counted from 1, without line ends and without a byte order mark.</summary>
    /// <exception cref="InvalidInputException">The file is missing, cannot be read, or is no UTF-8.</exception>
    public static IEnumerable<(int Number, string Text)> Read(string path) =>
        ReadRaw(path).Select(line => (line.Number, Decode(line.Latin1, path, line.Number)));

    /// <summary>The lines as bytes, each a Latin-1 character, so that a line that is no UTF-8 can be told by its number.</summary>
    /// <exception cref="InvalidInputException">The file is missing or cannot be read.</exception>
    public static IEnumerable<(int Number, string Latin1)> ReadRaw(string path)
    {
        using var reader = new StreamReader(DataFile.Open(path, skipMark: true), Encoding.Latin1, detectEncodingFromByteOrderMarks: false);
        for (var number = 1; ReadLine(reader, path) is { } line; number++) yield return (number, line);
    }

    /// <summary>The text behind bytes that were read as Latin-1 characters.</summary>
    /// <exception cref="RowException">They are no UTF-8.</exception>
    public static string Decode(string latin1, string path, int number)
    {
        if (Ascii.IsValid(latin1)) return latin1;
        try
        {
            return Strict.GetString(Encoding.Latin1.GetBytes(latin1));
        }
        catch (DecoderFallbackException e)
        {
            throw new RowException("the line is no valid UTF-8", new RowOrigin(path, number), "UTF-8 text", "Convert the file to UTF-8", e);
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
            throw DataFile.Unreadable(path, e);
        }
    }
}
