using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Planning;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>What one optimizer step was.</summary>
/// <param name="Loss">Mean over the trained tokens of the whole step, in nats.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="Tokens">Real tokens.</param>
/// <param name="TrainedTokens">Tokens that the loss counted.</param>
/// <param name="ActiveRows">Active share of R, mean over layers and micro-batches; NaN where there are no rows.</param>
/// <param name="Attempts">How often the step was computed: more than once only where gradients were too large for float16 (<see cref="GradientFactors"/>).</param>
public readonly record struct StepResult(double Loss, double GradientNorm, long Tokens, long TrainedTokens, double ActiveRows, int Attempts = 1);

/// <summary>
/// One optimizer step: forward and backward of each micro-batch, clipping by the global norm over all trained parameters, AdamW. The loss
/// is the mean over all trained tokens of the step, not a mean of micro-batch means (docs/method.md, section 4).
/// </summary>
public sealed class StepRunner
{
    /// <summary>The phase in which rows are read and put on the device.</summary>
    public const string DataPhase = "data";

    /// <summary>The phase in which parameters move; before it a step has changed nothing.</summary>
    public const string OptimizerPhase = "optimizer";

    private readonly Decoder _decoder;
    private readonly ITrainedMethod _method;
    private readonly OptimizerConfig _optimizer;
    private readonly MemoryLedger _ledger;
    private readonly bool _recompute;

    /// <param name="decoder">The base model.</param>
    /// <param name="method">What is trained.</param>
    /// <param name="optimizer">AdamW's settings.</param>
    /// <param name="ledger">Where bytes are counted.</param>
    /// <param name="recompute">Whether layers compute their activations again in the backward pass instead of keeping them.</param>
    /// <param name="phases">Splits the step's time; null for a clock of its own.</param>
    public StepRunner(
        Decoder decoder, ITrainedMethod method, OptimizerConfig optimizer, MemoryLedger ledger, bool recompute = false, PhaseClock? phases = null)
    {
        _decoder = decoder;
        _method = method;
        _optimizer = optimizer;
        _ledger = ledger;
        _recompute = recompute || decoder.IsStreamed; // the graph of a layer must not outlive its weights' stay on the device
        Phases = phases ?? new PhaseClock();
        decoder.CountIn(ledger);
        ledger.Hold(DeviceUse.TrainedTensors, method.DeviceByteCount);
        method.RunOn(decoder.Device, ledger);
        decoder.AllowPacking(ProgramMemory.PackedWeightBytes);
    }

    /// <summary>Seconds of each phase of the latest step.</summary>
    public PhaseClock Phases { get; }

    /// <summary>Takes one step. Its time begins here, or where the caller began the data phase to read its rows.</summary>
    /// <param name="microBatches">The rows of each micro-batch.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <param name="step">The global step, 1 for the first.</param>
    /// <exception cref="NonFiniteException">The loss or a gradient is not finite; no parameter has been changed.</exception>
    public StepResult Run(IReadOnlyList<IReadOnlyList<TokenRow>> microBatches, double learningRate, long step)
    {
        try
        {
            var (result, factor) = AddGradients(microBatches, step);
            var clip = _optimizer.MaxGradNorm > 0 ? Math.Min(1, _optimizer.MaxGradNorm / (result.GradientNorm + 1e-6)) : 1;
            _method.Update(new AdamWStep(
                learningRate, _optimizer.Betas.Beta1, _optimizer.Betas.Beta2, _optimizer.Eps, _optimizer.WeightDecay, step, clip / factor));
            Phases.Stop();
            return result;
        }
        finally
        {
            _method.ClearGradients();
        }
    }

    /// <summary>Does all of a step but the update: nothing that is trained, drawn or counted as held differs afterwards.</summary>
    /// <param name="microBatches">The rows of each micro-batch.</param>
    /// <exception cref="NonFiniteException">The loss or a gradient is not finite.</exception>
    public StepResult Try(IReadOnlyList<IReadOnlyList<TokenRow>> microBatches)
    {
        try
        {
            var (result, _) = AddGradients(microBatches, step: 0);
            Phases.Stop();
            return result;
        }
        finally
        {
            _method.ClearGradients();
        }
    }

    /// <summary>All of a step's gradients, multiplied by a factor that the update has to divide by.</summary>
    private (StepResult Result, double Factor) AddGradients(IReadOnlyList<IReadOnlyList<TokenRow>> microBatches, long step)
    {
        if (Phases.Current.Phase != DataPhase) Phases.Restart(DataPhase);
        HostHeap.MapBlocksFrom(_method.MappedBlockBytes); // methods may take turns in a process
        _decoder.Rewind(); // after a step there is nothing to do: only what a resume or an evaluation has left elsewhere, and it is counted in no step
        _ledger.StartStep();
        long trained = microBatches.Sum(rows => rows.Sum(r => (long)r.TrainedTokens));
        var factors = GradientFactors.For(_decoder.DataType, trained);
        var norm = double.NaN;
        foreach (var (before, factor) in factors.Index())
        {
            if (before > 0) _method.ClearGradients();
            var result = AddGradients(microBatches, step, trained, factor);
            norm = result.GradientNorm;
            if (double.IsFinite(norm)) return (result with { Attempts = before + 1 }, factor);
        }
        var matrices = _method.NonFiniteGradients();
        throw NonFiniteException.InGradient(
            step, norm, matrices, RowsWithNonFiniteGradients(microBatches, factors[^1] / trained, step), microBatches, _decoder.DataType);
    }

    private StepResult AddGradients(IReadOnlyList<IReadOnlyList<TokenRow>> microBatches, long step, long trained, double factor)
    {
        long tokens = 0;
        double sum = 0, active = 0;
        foreach (var (index, rows) in microBatches.Index())
        {
            sum += ForwardBackward(rows, factor / trained, step, index);
            tokens += rows.Sum(r => (long)r.Length);
            active += _method.ActiveRows;
        }
        Phases.Enter(OptimizerPhase);
        _decoder.Rewind(); // beside the optimizer
        return new StepResult(sum / trained, Math.Sqrt(_method.SquaredGradientNorm()) / factor, tokens, trained, active / microBatches.Count);
    }

    /// <summary>Sum of the micro-batch's losses; its gradients are added to the method's.</summary>
    private double ForwardBackward(IReadOnlyList<TokenRow> rows, double scale, long step, int microBatch)
    {
        using var scope = NewDisposeScope();
        Phases.Enter(DataPhase);
        _method.StartMicroBatch(step, microBatch);
        using var batch = MicroBatch.Create(rows, _decoder.Device);
        Phases.Enter("forward");
        using var tape = new LayerTape(_decoder, _method.Adapter, _recompute, _ledger);
        var h = tape.Forward(batch.Ids, batch.Layout);
        Phases.Enter("backward");
        var sum = TrainedTokenLoss.Compute(_decoder, _decoder.FinalNorm(h), batch.Positions, batch.Targets, scale, _ledger);
        if (h.grad is { } gradient) tape.Backward(gradient);
        _method.ThrowIfBackwardFailed();
        if (!double.IsFinite(sum)) throw NonFiniteException.InLoss(step, microBatch, sum, NonFiniteSearch.Find(_decoder, _method.Adapter, batch), rows, _decoder.DataType);
        return sum;
    }

    /// <summary>Runs every row by itself, which takes about as long as the step, and gives those whose own gradient is not finite.</summary>
    private List<TokenRow> RowsWithNonFiniteGradients(IReadOnlyList<IReadOnlyList<TokenRow>> microBatches, double scale, long step)
    {
        var found = new List<TokenRow>();
        foreach (var (index, rows) in microBatches.Index())
        {
            foreach (var row in rows)
            {
                _method.ClearGradients();
                try
                {
                    ForwardBackward([row], scale, step, index);
                    if (!double.IsFinite(_method.SquaredGradientNorm())) found.Add(row);
                }
                catch (NonFiniteException)
                {
                    found.Add(row);
                }
            }
        }
        return found;
    }
}
