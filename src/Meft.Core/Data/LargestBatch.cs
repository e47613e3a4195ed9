namespace Meft.Core.Data;

/// <summary>The micro-batch of a run with the most tokens: what the run's memory must be enough for.</summary>
/// <remarks>
/// Whatever a step holds grows with its micro-batch's tokens T: hidden states, activations, and the active rows of a sparse adapter, which are at
/// most min(R, T·k). So the largest T is the worst case of each.
/// </remarks>
/// <param name="Step">The step that it belongs to.</param>
/// <param name="MicroBatch">Which one of the step's, counted from 0.</param>
/// <param name="Tokens">T.</param>
public sealed record LargestBatch(BatchStep Step, int MicroBatch, long Tokens)
{
    /// <summary>So many steps are looked at, as by the plan: enough that a larger one among the others is rare.</summary>
    private const int MostSteps = 20_000;

    /// <summary>Its rows.</summary>
    public IReadOnlyList<TokenRow> Rows => Step.MicroBatches[MicroBatch];

    /// <summary>The largest of the steps from one on; of several as large, the first.</summary>
    /// <param name="schedule">The run's steps.</param>
    /// <param name="fromStep">The first step that counts, from 0; below <see cref="BatchSchedule.TotalSteps"/>.</param>
    public static LargestBatch Of(BatchSchedule schedule, int fromStep)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(fromStep, schedule.TotalSteps);
        var (largest, most) = ((Step: fromStep, MicroBatch: 0), -1L);
        var end = (int)Math.Min(schedule.TotalSteps, (long)fromStep + MostSteps);
        for (var step = fromStep; step < end; step++)
        {
            foreach (var (microBatch, tokens) in schedule.TokensOf(step).Index())
            {
                if (tokens > most) (largest, most) = ((step, microBatch), tokens);
            }
        }
        return new LargestBatch(schedule.StepAt(largest.Step), largest.MicroBatch, most);
    }
}
