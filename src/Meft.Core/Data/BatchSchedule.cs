using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Core.Data;

/// <summary>The rows of one optimizer step.</summary>
/// <param name="Index">The step, counted from 0.</param>
/// <param name="Epoch">The epoch it belongs to, counted from 0.</param>
/// <param name="EpochsDone">Passes over the rows once the step is taken, the current one as a share.</param>
/// <param name="EndsEpoch">Whether it is the last step of its epoch.</param>
/// <param name="MicroBatches">The rows of each micro-batch, in order; the last may be smaller, and there may be fewer than asked for.</param>
public sealed record BatchStep(
    int Index, int Epoch, double EpochsDone, bool EndsEpoch, IReadOnlyList<IReadOnlyList<TokenRow>> MicroBatches);

/// <summary>
/// Which rows each step takes. The order of an epoch depends on seed and epoch alone, so any step can be had directly and a resumed run
/// goes on exactly as the first one would have. The last step of an epoch takes what is left.
/// </summary>
public sealed class BatchSchedule
{
    private readonly IReadOnlyList<TokenRow> _rows;
    private readonly BatchConfig _batch;
    private readonly long _seed;
    private readonly bool _shuffle, _groupByLength;
    private EpochOrder? _order;

    /// <param name="rows">At least one row.</param>
    /// <param name="batch">Rows of a micro-batch, micro-batches of a step.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epochs">Passes over the rows; null where <paramref name="maxSteps"/> is given.</param>
    /// <param name="maxSteps">Steps in all, over as many epochs as they need.</param>
    /// <param name="shuffle">Whether each epoch has an order of its own; else that of the rows.</param>
    /// <param name="groupByLength">Whether the rows of a step shall be of like length.</param>
    public BatchSchedule(
        IReadOnlyList<TokenRow> rows, BatchConfig batch, long seed, int? epochs, int? maxSteps, bool shuffle, bool groupByLength = false)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count);
        if (epochs is null == maxSteps is null) throw new ArgumentException("one of epochs and maxSteps must be given", nameof(epochs));
        _rows = rows;
        _batch = batch;
        _seed = seed;
        _shuffle = shuffle;
        _groupByLength = groupByLength;
        RowsPerStep = (int)Math.Min((long)batch.Size * batch.Accumulate, rows.Count);
        StepsPerEpoch = (rows.Count + RowsPerStep - 1) / RowsPerStep;
        TotalSteps = maxSteps ?? StepsOf(epochs!.Value, StepsPerEpoch);
    }

    /// <summary>The schedule that a config asks for.</summary>
    public static BatchSchedule Create(RunConfig config, IReadOnlyList<TokenRow> rows) =>
        new(rows, config.Batch, config.Seed, config.Epochs, config.MaxSteps, config.Data.Shuffle, config.Data.GroupByLength);

    /// <summary>Rows of a step other than an epoch's last.</summary>
    public int RowsPerStep { get; }

    /// <summary>Steps of one pass over the rows.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Steps of the run.</summary>
    public int TotalSteps { get; }

    /// <summary>The steps from one on, to the end of the run.</summary>
    /// <param name="fromStep">The first step, counted from 0: how many have been taken already.</param>
    public IEnumerable<BatchStep> Steps(int fromStep = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromStep);
        for (var step = fromStep; step < TotalSteps; step++) yield return StepAt(step);
    }

    /// <summary>One step, counted from 0.</summary>
    public BatchStep StepAt(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, TotalSteps);
        var (epoch, within) = Math.DivRem(step, StepsPerEpoch);
        var first = within * RowsPerStep;
        var end = Math.Min(first + RowsPerStep, _rows.Count);
        IEnumerable<TokenRow> rows = OrderOf(epoch).Skip(first).Take(end - first).Select(i => _rows[i]);
        // Which rows form a step is settled; among its micro-batches, rows of like length together need less padding.
        if (_shuffle && _batch.Accumulate > 1) rows = rows.OrderBy(r => r.Length);
        return new BatchStep(step, epoch, epoch + end / (double)_rows.Count, end == _rows.Count, [.. rows.Chunk(_batch.Size)]);
    }

    private static int StepsOf(int epochs, int stepsPerEpoch) => (long)epochs * stepsPerEpoch <= int.MaxValue
        ? epochs * stepsPerEpoch
        : throw new InvalidInputException(
            $"{epochs} epochs of {stepsPerEpoch} steps are too many", "epochs", $"at most {int.MaxValue} steps in all", "Lower epochs");

    private int[] OrderOf(int epoch)
    {
        if (_order is { } known && known.Epoch == epoch) return known.Order;
        var order = _shuffle ? SeededPermutation.Of(_rows.Count, _seed, epoch) : [.. Enumerable.Range(0, _rows.Count)];
        if (_groupByLength) order = LengthGroups.Of(order, _rows, RowsPerStep, _shuffle ? (_seed, epoch) : null);
        _order = new EpochOrder(epoch, order);
        return order;
    }

    /// <summary>The order last used; one reference, so that threads that read ahead see it whole.</summary>
    private sealed record EpochOrder(int Epoch, int[] Order);
}
