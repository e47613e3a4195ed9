using System.Text;

namespace Meft.Core.Data;

/// <summary>
/// Splits a .txt file into texts: at <see cref="Marker"/> where the file holds it, else at blank lines, paragraphs being joined again
/// as long as they fit a row. Line ends become <c>\n</c>; line ends around a text are not part of it.
/// </summary>
internal static class PlainText
{
    /// <summary>What separates texts in many published files.</summary>
    public const string Marker = "<|endoftext|>";

    private const string BetweenParagraphs = "\n\n";

    /// <summary>The texts of a file, in order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="countTokens">How many tokens a text has.</param>
    /// <param name="budget">The most tokens that paragraphs are joined to.</param>
    public static IEnumerable<TextRow> Split(string path, Func<string, int> countTokens, int budget)
    {
        var lines = TextLines.Read(path).ToList();
        return lines.Any(l => l.Text.Contains(Marker, StringComparison.Ordinal))
            ? SplitAtMarker(path, lines)
            : Join(Paragraphs(path, lines), countTokens, budget);
    }

    /// <summary>The texts of a file between <see cref="Marker"/>s; one where it holds none.</summary>
    public static IEnumerable<TextRow> SplitAtMarker(string path) => SplitAtMarker(path, TextLines.Read(path));

    private static IEnumerable<TextRow> SplitAtMarker(string path, IEnumerable<(int Number, string Text)> lines)
    {
        var text = new StringBuilder();
        var firstLine = 0;
        foreach (var (number, line) in lines)
        {
            var pieces = line.Split(Marker);
            for (var i = 0; i < pieces.Length; i++)
            {
                if (i > 0)
                {
                    if (Finish(text) is { } finished) yield return new TextRow(new RowOrigin(path, firstLine), finished);
                    firstLine = 0;
                }
                if (firstLine == 0 && !string.IsNullOrWhiteSpace(pieces[i])) firstLine = number;
                text.Append(pieces[i]);
            }
            text.Append('\n');
        }
        if (Finish(text) is { } last) yield return new TextRow(new RowOrigin(path, firstLine), last);
    }

    private static IEnumerable<TextRow> Paragraphs(string path, List<(int Number, string Text)> lines)
    {
        var text = new StringBuilder();
        var firstLine = 0;
        foreach (var (number, line) in lines)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                if (Finish(text) is { } finished) yield return new TextRow(new RowOrigin(path, firstLine), finished);
                firstLine = 0;
                continue;
            }
            if (firstLine == 0) firstLine = number;
            text.Append(line).Append('\n');
        }
        if (Finish(text) is { } last) yield return new TextRow(new RowOrigin(path, firstLine), last);
    }

    /// <summary>
    /// Joins neighbours while the sum of their lengths fits. The length of the joined text may differ by a token or two from that sum;
    /// a text that comes out too long is cut like any other.
    /// </summary>
    private static IEnumerable<TextRow> Join(IEnumerable<TextRow> paragraphs, Func<string, int> countTokens, int budget)
    {
        var between = countTokens(BetweenParagraphs);
        TextRow? open = null;
        var text = new StringBuilder();
        long length = 0;
        foreach (var paragraph in paragraphs)
        {
            var count = countTokens(paragraph.Text);
            if (open is not null && length + between + count > budget)
            {
                yield return open with { Text = text.ToString() };
                open = null;
                text.Clear();
                length = 0;
            }
            if (open is not null)
            {
                text.Append(BetweenParagraphs);
                length += between;
            }
            open ??= paragraph;
            text.Append(paragraph.Text);
            length += count;
        }
        if (open is not null) yield return open with { Text = text.ToString() };
    }

    /// <summary>The text gathered so far, without line ends around it; null if there is none.</summary>
    private static string? Finish(StringBuilder text)
    {
        var finished = text.ToString().Trim('\n');
        text.Clear();
        return string.IsNullOrWhiteSpace(finished) ? null : finished;
    }
}
