namespace Meft.Core.Data;

/// <summary>Where a row came from.</summary>
/// <param name="File">The file as it was named.</param>
/// <param name="Line">The line the row begins on, counted from 1; 0 where it is in no file.</param>
public readonly record struct RowOrigin(string File, int Line)
{
    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}";
}
