using Meft.Adapters.Lora;
using Meft.Models;

namespace Meft.Training;

/// <summary>Trains a <see cref="LoraAdapter"/> (<c>method.kind: lora</c>).</summary>
/// <param name="adapter">The adapter; owned by this object. Its parameters require gradients from now on.</param>
/// <param name="config">What the adapter's files shall say.</param>
/// <param name="seed">The run's seed, which the dropout masks follow from.</param>
public sealed class LoraMethod(LoraAdapter adapter, PeftLoraConfig config, ulong seed) : TensorMethod(adapter.MakeTrainable().Parameters)
{
    /// <inheritdoc/>
    public override IDecoderAdapter Adapter => adapter;

    /// <inheritdoc/>
    public override void StartMicroBatch(long step, int microBatch)
    {
        if (adapter.Spec.Dropout > 0) adapter.Dropout = new LoraDropout(adapter.Spec.Dropout, seed, step, microBatch);
    }

    /// <inheritdoc/>
    public override void ClearGradients()
    {
        adapter.Dropout = null;
        base.ClearGradients();
    }

    /// <summary>Writes PEFT's adapter folder.</summary>
    public override void SaveResult(string folder) => LoraFiles.Save(Matrices, config, folder);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) adapter.Dispose();
        base.Dispose(disposing);
    }
}
