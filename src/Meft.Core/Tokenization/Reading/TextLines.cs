using System.Text;

namespace Meft.Core.Tokenization.Reading;

/// <summary>Reads the lines of a tokenizer's text file.</summary>
internal static class TextLines
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines, without what ends them.</summary>
    /// <exception cref="TokenizerFileException">The file cannot be read or is not UTF-8.</exception>
    public static IEnumerable<string> Read(string file)
    {
        string text;
        try
        {
            text = StrictUtf8.GetString(File.ReadAllBytes(file));
        }
        catch (DecoderFallbackException error)
        {
            throw new TokenizerFileException($"{file}, byte {Math.Max(0, error.Index)}", "the file is not UTF-8", cause: error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerFileException(file, $"cannot be read: {error.Message}", cause: error);
        }
        return Split(text);
    }

    /// <summary>Lines end with LF or CRLF alone: tokens may hold other characters that end lines elsewhere.</summary>
    private static IEnumerable<string> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var next = text.IndexOf('\n', start);
            var end = next < 0 ? text.Length : next;
            yield return text[start..end].TrimEnd('\r');
            start = end + 1;
        }
    }
}
