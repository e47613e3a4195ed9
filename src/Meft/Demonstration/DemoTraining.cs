using System.Diagnostics;
using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Schedules;
using Meft.Memory;
using Meft.Models;
using Meft.Training;

namespace Meft.Demonstration;

/// <summary>Trains one method with a rate that rises over the first steps and then falls to 0.</summary>
/// <param name="decoder">The base.</param>
/// <param name="progress">Watches.</param>
/// <param name="cancellation">Ends the training between two steps.</param>
internal sealed class DemoTraining(Decoder decoder, IDemoProgress progress, CancellationToken cancellation)
{
    private const double Warmup = 0.05, Smoothing = 0.9;

    /// <summary>Takes all steps.</summary>
    /// <param name="name">What is trained, for those who watch.</param>
    /// <param name="method">What is trained.</param>
    /// <param name="steps">The rows of each step.</param>
    /// <param name="optimizer">AdamW's settings, the highest rate among them.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public TrainingReport Run(string name, ITrainedMethod method, IReadOnlyList<IReadOnlyList<TokenRow>> steps, OptimizerConfig optimizer)
    {
        var ledger = new MemoryLedger();
        var runner = new StepRunner(decoder, method, optimizer, ledger);
        var rates = LearningRateSchedule.Create(new ScheduleConfig { Warmup = Warmup }, optimizer.LearningRate, steps.Count);
        var (losses, seconds, active) = (new double[steps.Count], new double[steps.Count], new double[steps.Count]);
        long tokens = 0, trained = 0, link = 0, peak = 0;
        progress.BeginTraining(name, steps.Count);
        var smoothed = double.NaN;
        for (var step = 0; step < steps.Count; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            // One later than the schedule counts, so that no step is lost to a rate of 0.
            var result = runner.Run([steps[step]], rates.RateAt(Math.Min(step + 1, steps.Count - 1)), step + 1);
            seconds[step] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            (losses[step], active[step]) = (result.Loss, result.ActiveRows);
            (tokens, trained) = (tokens + result.Tokens, trained + result.TrainedTokens);
            link += ledger.HostToDeviceBytes + ledger.DeviceToHostBytes;
            peak = Math.Max(peak, ledger.DeviceBytesPeak);
            smoothed = step == 0 ? result.Loss : Smoothing * smoothed + (1 - Smoothing) * result.Loss;
            progress.StepTaken(step + 1, smoothed);
        }
        var tenth = Math.Max(1, steps.Count / 10);
        var activeRows = active.Average();
        var cost = new MethodCost(
            peak, method.HostByteCount, (double)link / steps.Count, seconds.Order().ElementAt(steps.Count / 2), steps.Count, tokens, trained,
            seconds.Sum(), losses.TakeLast(tenth).Average(), double.IsNaN(activeRows) ? null : activeRows);
        return new TrainingReport(losses.Take(tenth).Average(), cost);
    }

    /// <summary>The most bytes that the ledger counts on the device in a step: the one with the most tokens is computed, and nothing is moved.</summary>
    /// <param name="method">What would be trained.</param>
    /// <param name="steps">The rows of each step.</param>
    public long DeviceBytesOf(ITrainedMethod method, IReadOnlyList<IReadOnlyList<TokenRow>> steps)
    {
        var ledger = new MemoryLedger();
        new StepRunner(decoder, method, new OptimizerConfig(), ledger).Try([steps.MaxBy(rows => rows.Sum(row => row.Length))!]);
        return ledger.DeviceBytesPeak;
    }
}
