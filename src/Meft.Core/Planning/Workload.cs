using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Planning;

/// <summary>The sizes of a run's micro-batches.</summary>
/// <param name="WorstTokens">T of the largest one.</param>
/// <param name="WorstTrained">The most trained tokens of one.</param>
/// <param name="MeanTokens">T in the mean.</param>
/// <param name="MeanTrained">Trained tokens in the mean.</param>
/// <param name="MicroBatches">Micro-batches a step.</param>
/// <param name="DistinctSizes">How many different T there are.</param>
/// <param name="Steps">Steps of the run; null where the rows are not known.</param>
/// <param name="Assumption">What was assumed in place of the rows; null where they were read.</param>
public sealed record Workload(
    long WorstTokens, long WorstTrained, double MeanTokens, double MeanTrained, int MicroBatches, int DistinctSizes, int? Steps, string? Assumption)
{
    /// <summary>So many steps are looked at: enough that a larger micro-batch among the others is rare.</summary>
    private const int MostSteps = 20_000;

    /// <summary>More tokens of a micro-batch than any machine holds; it keeps products within their types.</summary>
    private const long MostTokens = 1L << 32;

    /// <summary>The micro-batches of a run's own rows, as its schedule will form them.</summary>
    public static Workload Of(RunConfig config, TokenDataset data)
    {
        var (schedule, rows) = (BatchSchedule.Create(config, data), TokenRows.Of(data.Rows));
        long worst = 0, worstTrained = 0, tokens = 0, trained = 0, count = 0;
        var most = 1;
        var sizes = new HashSet<long>();
        for (var step = 0; step < Math.Min(schedule.TotalSteps, MostSteps); step++)
        {
            var batches = schedule.RowsOf(step);
            most = Math.Max(most, batches.Count);
            foreach (var batch in batches)
            {
                long t = batch.Sum(r => (long)rows.LengthOf(r)), n = batch.Sum(r => (long)rows.TrainedTokensOf(r));
                (worst, worstTrained) = (Math.Max(worst, t), Math.Max(worstTrained, n));
                sizes.Add(t);
                (tokens, trained, count) = (tokens + t, trained + n, count + 1);
            }
        }
        return new Workload(worst, worstTrained, (double)tokens / count, (double)trained / count, most, sizes.Count, schedule.TotalSteps, null);
    }

    /// <summary>The largest micro-batches that a config allows: every row of the longest length, every token trained.</summary>
    /// <param name="config">The config.</param>
    /// <param name="model">The model, which may allow less than <c>data.max_length</c>.</param>
    /// <param name="reason">Why the rows are not known.</param>
    public static Workload Assumed(RunConfig config, ModelConfig model, string reason)
    {
        var length = Math.Min(config.Data.MaxLength, model.MaxPositions);
        var tokens = Math.Min((long)length * config.Batch.Size, MostTokens);
        return new Workload(
            tokens, tokens, tokens, tokens, config.Batch.Accumulate, 1, config.MaxSteps,
            $"{reason}, so every micro-batch is taken for {config.Batch.Size} rows of {length} tokens, all trained");
    }
}
