using Meft.Core.Configuration;

namespace Meft.Core.Data;

/// <summary>Counts what becomes of rows while they are read; used from one thread.</summary>
public sealed class DataAuditor
{
    private readonly List<TokenRow> _longest = [];
    private int _read, _kept, _truncated, _dropped;

    /// <summary>Rows that were longer than allowed, whatever became of them.</summary>
    internal int TooLong { get; private set; }

    /// <summary>The longest of them, the longest first.</summary>
    internal IReadOnlyList<TokenRow> Longest => _longest;

    internal int Kept => _kept;

    /// <summary>What was counted so far.</summary>
    public DataAudit ToAudit() => new() { RowsRead = _read, RowsKept = _kept, TruncatedRows = _truncated, DroppedRows = _dropped };

    internal void CountRead() => _read++;

    internal void CountKept() => _kept++;

    internal void CountTooLong(TokenRow row, OverLength overLength)
    {
        const int Named = 5;
        TooLong++;
        if (overLength == OverLength.Truncate) _truncated++;
        else if (overLength == OverLength.Drop) _dropped++;
        var place = _longest.FindIndex(r => r.Length < row.Length);
        _longest.Insert(place < 0 ? _longest.Count : place, row);
        if (_longest.Count > Named) _longest.RemoveAt(Named);
    }
}
