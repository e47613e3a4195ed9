using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Models;

namespace Meft.Training;

/// <summary>Trains a <see cref="DenseParallelAdapter"/> (<c>method.kind: parallel</c>).</summary>
/// <param name="adapter">The adapter; owned by this object.</param>
/// <param name="identity">What the adapter's files say of the base it belongs to.</param>
public sealed class ParallelMethod(DenseParallelAdapter adapter, AdapterIdentity identity) : TensorMethod(adapter.Parameters)
{
    /// <inheritdoc/>
    public override IDecoderAdapter Adapter => adapter;

    /// <inheritdoc/>
    public override long MappedBlockBytes => ProgramMemory.MappedBlockBytesOf(MethodKind.Parallel);

    /// <summary>Writes a sparse adapter's folder without experts and with k = 0, which computes the same.</summary>
    public override void SaveResult(string folder) =>
        SparseAdapterFiles.Save(Matrices, adapter.Spec, identity, folder);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) adapter.Dispose();
        base.Dispose(disposing);
    }
}
