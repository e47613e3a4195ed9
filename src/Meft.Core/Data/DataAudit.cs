namespace Meft.Core.Data;

/// <summary>What became of the rows of a run's files. It can be written as JSON and read back.</summary>
public sealed record DataAudit
{
    /// <summary>Rows of the files, whatever became of them.</summary>
    public int RowsRead { get; init; }

    /// <summary>Rows that are trained; a text cut into several counts several times.</summary>
    public int RowsKept { get; init; }

    /// <summary>Rows whose end was cut off (<c>over_length: truncate</c>).</summary>
    public int TruncatedRows { get; init; }

    /// <summary>Rows left out for their length (<c>over_length: drop</c>).</summary>
    public int DroppedRows { get; init; }
}
