using Meft.Models;
using Meft.Training;

namespace Meft.Benchmarking;

/// <summary>Trains a <see cref="MaskedDenseAdapter"/> with AdamW over all rows. For measurements only: it writes no result.</summary>
/// <param name="adapter">The adapter; owned by this object.</param>
internal sealed class MaskedDenseMethod(MaskedDenseAdapter adapter) : TensorMethod(adapter.Parameters)
{
    /// <inheritdoc/>
    public override IDecoderAdapter Adapter => adapter;

    /// <inheritdoc/>
    public override void SaveResult(string folder) => throw new NotSupportedException("the masked dense form is there to be measured");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) adapter.Dispose();
        base.Dispose(disposing);
    }
}
