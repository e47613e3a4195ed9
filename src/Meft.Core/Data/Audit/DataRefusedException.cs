using Meft.Core.Errors;

namespace Meft.Core.Data;

/// <summary>Rows that cannot be used, all of them together, with the audit of the files they are in.</summary>
public sealed class DataRefusedException : InvalidInputException
{
    private DataRefusedException(DataAudit audit, string problem, string? location, string? allowed, string? nextStep)
        : base(problem, location, allowed, nextStep) => Audit = audit;

    /// <summary>What became of all rows.</summary>
    public DataAudit Audit { get; }

    /// <summary>The error of rows that cannot be read or have nothing to train on.</summary>
    /// <param name="audit">The audit.</param>
    /// <param name="only">The row, where it is the only one.</param>
    internal static DataRefusedException OfRows(DataAudit audit, RowException? only)
    {
        if (only is not null) return new DataRefusedException(audit, only.Problem, only.Location, only.Allowed, only.NextStep);
        var left = audit.RefusedRows - audit.Refused.Count;
        var rows = string.Concat(audit.Refused.Select(r => $"\n  {r.Place}: {r.Reason}")) + (left > 0 ? $"\n  and {left:N0} more" : "");
        return new DataRefusedException(
            audit, $"{audit.RefusedRows:N0} of {audit.RowsRead:N0} rows cannot be used:{rows}", null, "rows as docs/data.md describes them",
            "Mend them, or leave them out with data.bad_rows: skip");
    }

    /// <summary>The error of rows that are longer than allowed.</summary>
    internal static DataRefusedException OfLength(DataAudit audit, int maxLength, int maxPositions)
    {
        var longest = string.Join(", ", audit.Longest.Select(r => $"{r.Place} ({r.Tokens} tokens)"));
        var rows = audit.RowsTooLong == 1 ? "1 row is" : $"{audit.RowsTooLong} rows are";
        return maxPositions < maxLength
            ? new DataRefusedException(
                audit, $"{rows} longer than the {maxPositions} tokens that the model allows, the longest: {longest}", null,
                $"at most {maxPositions} tokens a row", "Shorten the rows, or set data.over_length to truncate or drop")
            : new DataRefusedException(
                audit, $"{rows} longer than data.max_length {maxLength}, the longest: {longest}", null,
                $"at most {maxLength} tokens a row", $"Raise data.max_length (the model allows {maxPositions}), or set data.over_length to truncate or drop");
    }
}
