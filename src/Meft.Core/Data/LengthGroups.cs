namespace Meft.Core.Data;

/// <summary>
/// An order in which the rows of a step are of like length. Rows are sorted by length within windows of many steps, so that what stands together still
/// changes with the shuffled order from epoch to epoch; the steps then come in a seeded order, so that their lengths follow no trend.
/// </summary>
internal static class LengthGroups
{
    private const int StepsInWindow = 50;

    /// <summary>Regroups an epoch's order.</summary>
    /// <param name="order">The epoch's order of the rows.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="rowsPerStep">Rows of a step; what is left at the end stays the last step.</param>
    /// <param name="shuffle">Seed and epoch that the order of the steps follows from; null to leave them, shortest first within a window.</param>
    public static int[] Of(int[] order, ITokenRows rows, int rowsPerStep, (long Seed, int Epoch)? shuffle)
    {
        var sorted = order.Chunk(StepsInWindow * rowsPerStep).SelectMany(window => window.OrderBy(i => rows.LengthOf(i))).ToArray();
        if (shuffle is not { } by) return sorted;
        var full = sorted.Length / rowsPerStep;
        var steps = SeededPermutation.Of(full, ~by.Seed, by.Epoch);
        return
        [
            .. steps.SelectMany(step => sorted.Skip(step * rowsPerStep).Take(rowsPerStep)), .. sorted.Skip(full * rowsPerStep),
        ];
    }
}
