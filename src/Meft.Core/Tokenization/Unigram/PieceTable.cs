namespace Meft.Core.Tokenization.Unigram;

/// <summary>The pieces of a vocabulary in order, to find those that a text begins with.</summary>
internal sealed class PieceTable
{
    private readonly string[] _pieces;
    private readonly int[] _ids;
    private readonly Dictionary<char, Range> _byFirst = [];

    /// <param name="pieces">The pieces, none empty and none twice, with their ids.</param>
    public PieceTable(IEnumerable<(string Piece, int Id)> pieces)
    {
        var all = pieces.ToArray();
        _pieces = [.. all.Select(p => p.Piece)];
        _ids = [.. all.Select(p => p.Id)];
        Array.Sort(_pieces, _ids, StringComparer.Ordinal);
        for (var start = 0; start < _pieces.Length;)
        {
            var end = End(start, _pieces.Length, 0, _pieces[start][0]);
            _byFirst[_pieces[start][0]] = start..end;
            start = end;
        }
    }

    /// <summary>Adds the lengths and ids of the pieces that a text begins with, the shortest first.</summary>
    public void FindPrefixes(ReadOnlySpan<char> text, List<(int Length, int Id)> found)
    {
        if (text.IsEmpty || !_byFirst.TryGetValue(text[0], out var range)) return;
        var (start, end) = (range.Start.Value, range.End.Value);
        for (var length = 1; start < end; length++)
        {
            // All of start..end begin with the first so many characters; one that is no longer comes first.
            if (_pieces[start].Length == length) found.Add((length, _ids[start++]));
            if (length == text.Length) return;
            start = Start(start, end, length, text[length]);
            end = End(start, end, length, text[length]);
        }
    }

    /// <summary>The first of a range whose character at a place is not below another.</summary>
    private int Start(int start, int end, int place, char character)
    {
        while (start < end)
        {
            var middle = (start + end) >>> 1;
            if (_pieces[middle][place] < character) start = middle + 1;
            else end = middle;
        }
        return start;
    }

    /// <summary>The first of a range, after its beginning, whose character at a place is above another.</summary>
    private int End(int start, int end, int place, char character)
    {
        while (start < end)
        {
            var middle = (start + end) >>> 1;
            if (_pieces[middle][place] <= character) start = middle + 1;
            else end = middle;
        }
        return start;
    }
}
