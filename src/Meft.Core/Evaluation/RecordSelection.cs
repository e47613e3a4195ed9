namespace Meft.Core.Evaluation;

/// <summary>Which records of a task's data are asked.</summary>
/// <param name="Skip">So many are left out at the beginning, after <paramref name="Distinct"/>.</param>
/// <param name="First">The most records that are taken then; null for all. Of texts it is their windows that count.</param>
/// <param name="Distinct">An expression over a record's fields: of records with the same value only the first is taken; null for all.</param>
public sealed record RecordSelection(int Skip = 0, int? First = null, string? Distinct = null)
{
    /// <summary>All records.</summary>
    public static RecordSelection All { get; } = new();
}
