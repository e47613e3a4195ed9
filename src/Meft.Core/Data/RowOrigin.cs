namespace Meft.Core.Data;

/// <summary>Where a row came from.</summary>
/// <param name="File">The file as it was named.</param>
/// <param name="Line">The line the row begins on, counted from 1; 0 where it is in no file, or in one without lines.</param>
/// <param name="Number">The row's number in a file whose rows are not lines (.json, .parquet), counted from 1; else 0.</param>
public readonly record struct RowOrigin(string File, int Line, int Number = 0)
{
    /// <inheritdoc/>
    public override string ToString() => (Line, Number) switch
    {
        (0, 0) => File,
        (0, _) => $"{File} (row {Number})",
        (_, 0) => $"{File}:{Line}",
        _ => $"{File}:{Line} (row {Number})",
    };
}
