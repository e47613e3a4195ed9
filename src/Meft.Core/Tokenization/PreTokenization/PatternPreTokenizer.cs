namespace Meft.Core.Tokenization.PreTokenization;

/// <summary>What becomes of the matches of a pattern when a text is split at them; names as in tokenizer.json.</summary>
internal enum SplitBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a piece of its own.</summary>
    Isolated,

    /// <summary>Each ends the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>Each begins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches are one piece.</summary>
    Contiguous,
}

/// <summary>Splits a text at the matches of a pattern; inverted, what the pattern does not match counts as the match.</summary>
internal sealed class PatternPreTokenizer(CodePointRegex pattern, SplitBehavior behavior, bool invert = false) : IPreTokenizer
{
    private readonly record struct Segment(int Start, int End, bool IsMatch);

    public void Split(TextPiece piece, List<TextPiece> output)
    {
        foreach (var segment in Arrange(Cut(piece.Text.Span)))
        {
            if (segment.Start == segment.End) continue;
            output.Add(new TextPiece(piece.Text[segment.Start..segment.End], piece.StartsText && segment.Start == 0));
        }
    }

    /// <summary>The matches and what lies between them, in order.</summary>
    private List<Segment> Cut(ReadOnlySpan<char> text)
    {
        var matches = new List<Range>();
        pattern.FindMatches(text, matches);
        var segments = new List<Segment>(matches.Count + 1);
        var done = 0;
        foreach (var match in matches)
        {
            if (match.Start.Value > done) segments.Add(new Segment(done, match.Start.Value, invert));
            segments.Add(new Segment(match.Start.Value, match.End.Value, !invert));
            done = match.End.Value;
        }
        if (done < text.Length) segments.Add(new Segment(done, text.Length, invert));
        return segments;
    }

    private List<Segment> Arrange(List<Segment> segments) => behavior switch
    {
        SplitBehavior.Isolated => segments,
        SplitBehavior.Removed => segments.FindAll(segment => !segment.IsMatch),
        SplitBehavior.Contiguous => Join(segments, (left, right) => left.IsMatch == right.IsMatch),
        SplitBehavior.MergedWithPrevious => Join(segments, (left, right) => right.IsMatch && !left.IsMatch),
        SplitBehavior.MergedWithNext => Join(segments, (left, right) => left.IsMatch && !right.IsMatch),
        _ => throw new InvalidOperationException($"unknown split behavior {behavior}"),
    };

    /// <summary>Joins neighbours for which a rule holds; the rule sees the segments as they were cut.</summary>
    private static List<Segment> Join(List<Segment> segments, Func<Segment, Segment, bool> belongTogether)
    {
        var joined = new List<Segment>(segments.Count);
        for (var i = 0; i < segments.Count; i++)
        {
            if (i > 0 && belongTogether(segments[i - 1], segments[i])) joined[^1] = joined[^1] with { End = segments[i].End };
            else joined.Add(segments[i]);
        }
        return joined;
    }
}
