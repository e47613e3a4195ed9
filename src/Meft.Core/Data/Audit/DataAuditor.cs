using Meft.Core.Configuration;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>Counts what becomes of rows while they are read; used from one thread.</summary>
public sealed class DataAuditor
{
    private const int NamedLong = 5, NamedRefused = 20, ShownRows = 3;

    private readonly List<LongRow> _longest = [];
    private readonly List<RefusedRow> _refused = [];
    private readonly SortedDictionary<int, int> _lengths = [];
    private readonly SortedList<uint, TokenRow> _drawn = [];
    private int _read, _kept, _refusedCount, _nothing, _tooLong, _truncated, _dropped, _cut, _split, _withoutEnd;
    private long _tokens, _trained, _lost;
    private TokenRow? _first, _longestKept;
    private uint _lot = 2463534242;

    /// <summary>The rows' longest allowed length.</summary>
    internal int MaxLength { get; set; }

    internal int RowsTooLong => _tooLong;

    internal int RowsRefused => _refusedCount;

    internal int RowsKept => _kept;

    /// <summary>The row that cannot be used, where it is the only one.</summary>
    internal RowException? OnlyRefused { get; private set; }

    /// <summary>What was counted so far.</summary>
    /// <param name="tokenizer">Gives the text of the rows that are shown.</param>
    public DataAudit ToAudit(ITokenizer tokenizer) => new()
    {
        RowsRead = _read,
        RowsKept = _kept,
        Tokens = _tokens,
        TrainedTokens = _trained,
        RefusedRows = _refusedCount,
        RowsWithNothingToTrain = _nothing,
        Refused = [.. _refused],
        MaxLength = MaxLength,
        RowsTooLong = _tooLong,
        Longest = [.. _longest],
        TruncatedRows = _truncated,
        DroppedRows = _dropped,
        TokensLost = _lost,
        CutTexts = _cut,
        SplitConversations = _split,
        RowsWithoutEnd = _withoutEnd,
        Lengths = _kept == 0 ? null : new LengthPercentiles(Percentile(50), Percentile(90), Percentile(99), Percentile(100)),
        Shown = [.. RowsToShow().Select(row => RowText.Show(row.Row, row.Which, tokenizer))],
    };

    internal void CountRead() => _read++;

    internal void CountRefused(RowException error, bool hasNothingToTrain)
    {
        _refusedCount++;
        if (hasNothingToTrain) _nothing++;
        OnlyRefused = _refusedCount == 1 ? error : null;
        if (_refused.Count >= NamedRefused) return;
        _refused.Add(new RefusedRow(error.Origin.ToString(), error.Problem));
    }

    internal void CountCut() => _cut++;

    internal void CountSplit() => _split++;

    internal void CountWithoutEnd() => _withoutEnd++;

    internal void CountTooLong(TokenRow row, OverLength overLength)
    {
        _tooLong++;
        if (overLength == OverLength.Truncate) _truncated++;
        else if (overLength == OverLength.Drop) _dropped++;
        if (overLength != OverLength.Error) _lost += overLength == OverLength.Truncate ? row.Length - MaxLength : row.Length;
        var place = _longest.FindIndex(r => r.Tokens < row.Length);
        _longest.Insert(place < 0 ? _longest.Count : place, new LongRow(row.Origin.ToString(), row.Length));
        if (_longest.Count > NamedLong) _longest.RemoveAt(NamedLong);
    }

    internal void CountKept(TokenRow row)
    {
        _kept++;
        _tokens += row.Length;
        _trained += row.TrainedTokens;
        _lengths[row.Length] = _lengths.GetValueOrDefault(row.Length) + 1;
        _first ??= row;
        if (_longestKept is null || row.Length > _longestKept.Length) _longestKept = row;
        // Each row draws a lot (Marsaglia's xorshift, which repeats none in 2^32 - 1), the same on every machine. The least lots win: as many as
        // are shown, since some of the winners can be the first and the longest row.
        _lot ^= _lot << 13;
        _lot ^= _lot >> 17;
        _lot ^= _lot << 5;
        _drawn.Add(_lot, row);
        if (_drawn.Count > ShownRows) _drawn.RemoveAt(ShownRows);
    }

    private List<(TokenRow Row, string Which)> RowsToShow()
    {
        if (_first is null) return [];
        List<(TokenRow Row, string Which)> shown = [(_first, "the first")];
        if (_longestKept != _first) shown.Add((_longestKept!, "the longest"));
        var others = _drawn.Values.Where(row => row != _first && row != _longestKept).Take(ShownRows - shown.Count);
        return [.. shown, .. others.Select(row => (row, "one of them"))];
    }

    private int Percentile(int percent)
    {
        var wanted = ((long)_kept * percent + 99) / 100;
        long seen = 0;
        foreach (var (length, count) in _lengths)
        {
            seen += count;
            if (seen >= wanted) return length;
        }
        return 0;
    }
}
