using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Planning;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>What one optimizer step was.</summary>
/// <param name="Loss">Mean over the trained tokens of the whole step, in nats.</param>
/// <param name="GradientNorm">Global norm before clipping.</param>
/// <param name="Tokens">Real tokens.</param>
/// <param name="TrainedTokens">Tokens that the loss counted.</param>
/// <param name="ActiveRows">Active share of R, mean over layers and micro-batches; NaN where there are no rows.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, long Tokens, long TrainedTokens, double ActiveRows);

/// <summary>
/// One optimizer step: forward and backward of each micro-batch, clipping by the global norm over all trained parameters, AdamW. The loss
/// is the mean over all trained tokens of the step, not a mean of micro-batch means (docs/method.md, section 4).
/// </summary>
public sealed class StepRunner
{
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
    public StepRunner(Decoder decoder, ITrainedMethod method, OptimizerConfig optimizer, MemoryLedger ledger, bool recompute = false)
    {
        _decoder = decoder;
        _method = method;
        _optimizer = optimizer;
        _ledger = ledger;
        _recompute = recompute || decoder.IsStreamed; // the graph of a layer must not outlive its weights' stay on the device
        decoder.CountIn(ledger);
        ledger.Hold(DeviceUse.TrainedTensors, method.DeviceByteCount);
        method.RunOn(decoder.Device, ledger);
        decoder.AllowPacking(ProgramMemory.PackedWeightBytes);
    }

    /// <summary>Seconds of each phase of the latest step.</summary>
    public PhaseClock Phases { get; } = new();

    /// <summary>Takes one step.</summary>
    /// <param name="microBatches">The rows of each micro-batch.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <param name="step">The global step, 1 for the first.</param>
    /// <exception cref="NonFiniteException">The loss or a gradient is not finite; no parameter has been changed.</exception>
    public StepResult Run(IReadOnlyList<IReadOnlyList<TokenRow>> microBatches, double learningRate, long step)
    {
        Phases.Restart();
        _ledger.StartStep();
        long trained = microBatches.Sum(rows => rows.Sum(r => (long)r.TrainedTokens));
        long tokens = 0;
        double sum = 0, active = 0;
        try
        {
            foreach (var (index, rows) in microBatches.Index())
            {
                _method.StartMicroBatch(step, index);
                sum += ForwardBackward(rows, scale: 1.0 / trained, step);
                tokens += rows.Sum(r => (long)r.Length);
                active += _method.ActiveRows;
            }

            Phases.Begin("optimizer");
            var norm = Math.Sqrt(_method.SquaredGradientNorm());
            if (!double.IsFinite(norm)) throw NonFiniteException.InGradient(step, _method.NonFiniteGradients(), microBatches);
            var clip = _optimizer.MaxGradNorm > 0 ? Math.Min(1, _optimizer.MaxGradNorm / (norm + 1e-6)) : 1;
            _method.Update(new AdamWStep(
                learningRate, _optimizer.Betas.Beta1, _optimizer.Betas.Beta2, _optimizer.Eps, _optimizer.WeightDecay, step, clip));
            Phases.Add("optimizer");
            return new StepResult(sum / trained, norm, tokens, trained, active / microBatches.Count);
        }
        finally
        {
            _method.ClearGradients();
        }
    }

    /// <summary>Sum of the micro-batch's losses; its gradients are added to the method's.</summary>
    private double ForwardBackward(IReadOnlyList<TokenRow> rows, double scale, long step)
    {
        using var scope = NewDisposeScope();
        Phases.Begin("data");
        using var batch = MicroBatch.Create(rows, _decoder.Device);
        Phases.Add("data");
        Phases.Begin("forward");
        using var tape = new LayerTape(_decoder, _method.Adapter, _recompute, _ledger);
        var h = tape.Forward(batch.Ids, batch.Layout);
        Phases.Add("forward");
        Phases.Begin("backward");
        var sum = TrainedTokenLoss.Compute(_decoder, _decoder.FinalNorm(h), batch.Positions, batch.Targets, scale, _ledger);
        if (h.grad is { } gradient) tape.Backward(gradient);
        _method.ThrowIfBackwardFailed();
        if (!double.IsFinite(sum)) throw NonFiniteException.InLoss(step, NonFiniteSearch.Find(_decoder, _method.Adapter, batch), rows);
        Phases.Add("backward");
        return sum;
    }
}
