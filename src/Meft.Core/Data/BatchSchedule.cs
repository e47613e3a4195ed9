using Meft.Core.Configuration;
using Meft.Core.Data.Store;
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
/// goes on exactly as the first one would have. The last step of an epoch takes what is left. With packing, what a step counts is bins of rows.
/// </summary>
/// <remarks>An order takes 4 bytes a row (an epoch's order is held as a whole); tokens are read only when a step is asked for.</remarks>
public sealed class BatchSchedule
{
    private readonly ITokenRows _rows;
    private readonly BatchConfig _batch;
    private readonly RowMix _mix;
    private readonly long _seed;
    private readonly bool _shuffle, _groupByLength;
    private readonly int? _packTo;
    // The first step of each epoch so far known, where epochs differ in it; else null.
    private readonly List<long>? _firstSteps;
    private EpochOrder? _order;

    /// <param name="rows">At least one row.</param>
    /// <param name="batch">Rows of a micro-batch, micro-batches of a step.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epochs">Passes over the rows; null where <paramref name="maxSteps"/> is given.</param>
    /// <param name="maxSteps">Steps in all, over as many epochs as they need.</param>
    /// <param name="shuffle">Whether each epoch has an order of its own; else that of the rows.</param>
    /// <param name="groupByLength">Whether the rows of a step shall be of like length.</param>
    /// <param name="packTo">The most tokens of a bin, where whole rows are packed into bins and a bin is one row of a batch; null for no packing.</param>
    /// <param name="mix">Which rows an epoch takes; null for every row once.</param>
    public BatchSchedule(
        IReadOnlyList<TokenRow> rows, BatchConfig batch, long seed, int? epochs, int? maxSteps, bool shuffle, bool groupByLength = false,
        int? packTo = null, RowMix? mix = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(rows.Count);
        if (epochs is null == maxSteps is null) throw new ArgumentException("one of epochs and maxSteps must be given", nameof(epochs));
        if (groupByLength && packTo is not null) throw new ArgumentException("rows that are packed are not grouped by length", nameof(groupByLength));
        _rows = TokenRows.Of(rows);
        _batch = batch;
        _seed = seed;
        _shuffle = shuffle;
        _groupByLength = groupByLength;
        _packTo = packTo;
        _mix = mix ?? RowMix.Whole(rows.Count);
        RowsPerStep = (int)Math.Min((long)batch.Size * batch.Accumulate, _mix.Count);
        // Rows of the same lengths, packed together, always give the same number of bins.
        if (packTo is not null && (_mix.Varies || (shuffle && _mix.Count > RowBins.ShuffledWindow))) _firstSteps = [0];
        StepsPerEpoch = packTo is null ? StepsFor(_mix.Count) : StepsFor(OrderOf(0).BinCount);
        TotalSteps = maxSteps ?? StepsOf(epochs!.Value);
    }

    /// <summary>The schedule that a config asks for.</summary>
    public static BatchSchedule Create(RunConfig config, TokenDataset data)
    {
        var rows = TokenRows.Of(data.Rows);
        return new BatchSchedule(
            rows, config.Batch, config.Seed, config.Epochs, config.MaxSteps, config.Data.Shuffle, config.Data.GroupByLength,
            config.Data.Packing ? Math.Min(config.Data.MaxLength, data.MaxLength) : null, RowMix.Of(rows, config.Data.WeightsByFile(), config.Seed));
    }

    /// <summary>Rows of a step other than an epoch's last; with packing, bins.</summary>
    public int RowsPerStep { get; }

    /// <summary>Steps of one pass over the rows; of the first, where passes differ by a few (packing with weights that are not whole).</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Steps of the run.</summary>
    public int TotalSteps { get; }

    /// <summary>The steps from one on, to the end of the run. Rows on disk are read a step ahead.</summary>
    /// <param name="fromStep">The first step, counted from 0: how many have been taken already.</param>
    public IEnumerable<BatchStep> Steps(int fromStep = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fromStep);
        return Enumerate();

        IEnumerable<BatchStep> Enumerate()
        {
            Task<BatchStep>? ahead = null;
            for (var step = fromStep; step < TotalSteps; step++)
            {
                var current = ahead is null ? StepAt(step) : ahead.GetAwaiter().GetResult();
                var next = step + 1;
                ahead = _rows is StoredRows && next < TotalSteps ? Task.Run(() => StepAt(next)) : null;
                yield return current;
            }
        }
    }

    /// <summary>One step, counted from 0.</summary>
    public BatchStep StepAt(int step)
    {
        var (order, first, end) = BinsOf(step);
        return new BatchStep(
            step, order.Epoch, order.Epoch + order.StartOf(end) / (double)_mix.Count, end == order.BinCount,
            [.. Numbers(order, first, end).Select(IReadOnlyList<TokenRow> (numbers) => [.. numbers.Select(row => _rows[row])])]);
    }

    /// <summary>The numbers of the rows of each micro-batch of a step, counted from 0; no token is read.</summary>
    public IReadOnlyList<int[]> RowsOf(int step)
    {
        var (order, first, end) = BinsOf(step);
        return [.. Numbers(order, first, end)];
    }

    /// <summary>The tokens of each micro-batch of a step, counted from 0; none is read.</summary>
    public IReadOnlyList<long> TokensOf(int step) => [.. RowsOf(step).Select(rows => rows.Sum(row => (long)_rows.LengthOf(row)))];

    private (EpochOrder Order, int First, int End) BinsOf(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, TotalSteps);
        var (epoch, within) = Locate(step);
        var order = OrderOf(epoch);
        var first = within * RowsPerStep;
        return (order, first, Math.Min(first + RowsPerStep, order.BinCount));
    }

    private IEnumerable<int[]> Numbers(EpochOrder order, int first, int end)
    {
        var bins = Enumerable.Range(first, end - first).Select(bin => order.Rows[order.StartOf(bin)..order.StartOf(bin + 1)]);
        // Which rows form a step is settled; among its micro-batches, rows of like length together need less padding. Bins are all about full.
        if (_shuffle && _batch.Accumulate > 1 && _packTo is null) bins = bins.OrderBy(bin => _rows.LengthOf(bin[0]));
        return bins.Chunk(_batch.Size).Select(chunk => chunk.SelectMany(bin => bin).ToArray());
    }

    private int StepsFor(long bins) => (int)((bins + RowsPerStep - 1) / RowsPerStep);

    private int StepsOf(int epochs)
    {
        var steps = (long)epochs * StepsPerEpoch;
        if (_firstSteps is not null && steps <= int.MaxValue)
        {
            KnowEpochs(known => known.Count <= epochs);
            steps = _firstSteps[epochs];
        }
        return steps <= int.MaxValue ? (int)steps : throw new InvalidInputException(
            $"{epochs} epochs of {StepsPerEpoch} steps are too many", "epochs", $"at most {int.MaxValue} steps in all", "Lower epochs");
    }

    private (int Epoch, int Within) Locate(int step)
    {
        if (_firstSteps is null) return Math.DivRem(step, StepsPerEpoch);
        lock (_firstSteps)
        {
            KnowEpochs(known => known[^1] <= step);
            var found = _firstSteps.BinarySearch(step);
            var epoch = found >= 0 ? found : ~found - 1;
            return (epoch, (int)(step - _firstSteps[epoch]));
        }
    }

    /// <summary>Counts the steps of further epochs, in turn, while more are needed.</summary>
    private void KnowEpochs(Func<List<long>, bool> needsMore)
    {
        while (needsMore(_firstSteps!)) _firstSteps!.Add(_firstSteps[^1] + StepsFor(OrderOf(_firstSteps.Count - 1).BinCount));
    }

    private EpochOrder OrderOf(int epoch)
    {
        // One reference, so that threads that read ahead see it whole.
        if (_order is { } known && known.Epoch == epoch) return known;
        return _order = Compose(epoch);
    }

    private EpochOrder Compose(int epoch)
    {
        var order = _mix.RowsOf(epoch);
        if (_shuffle) order = [.. SeededPermutation.Of(order.Length, _seed, epoch).Select(place => order[place])];
        if (_groupByLength) order = LengthGroups.Of(order, _rows, RowsPerStep, _shuffle ? (_seed, epoch) : null);
        return _packTo is { } capacity
            ? RowBins.Of(epoch, order, _rows, capacity, _shuffle ? _seed : null, _shuffle ? RowBins.ShuffledWindow : RowBins.OrderedWindow)
            : new EpochOrder(epoch, order, null);
    }
}
