using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;

namespace Meft.Loading;

/// <summary>A source that tells how much of it has been copied, and stops between two copies when asked to.</summary>
/// <param name="source">What is read.</param>
/// <param name="reads">How many times a tensor will be read, by its name.</param>
/// <param name="progress">Is told; null for nobody.</param>
/// <param name="cancellation">Stops reading.</param>
internal sealed class ObservedTensorSource(
    ITensorSource source, Func<string, int> reads, Action<LoadProgress>? progress, CancellationToken cancellation) : ITensorSource, IBlockSource
{
    private readonly long _total = source.Tensors.Values.Sum(t => reads(t.Name) * t.ByteLength);
    private long _read;

    /// <inheritdoc/>
    public string Path => source.Path;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => source.Tensors;

    /// <inheritdoc/>
    public IReadOnlyList<string> Unplaced => source.Unplaced;

    /// <inheritdoc/>
    public string NameInFile(string name) => source.NameInFile(name);

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength)
    {
        cancellation.ThrowIfCancellationRequested();
        source.CopyTo(name, destination, byteLength);
        progress?.Invoke(new LoadProgress(Interlocked.Add(ref _read, byteLength), _total));
    }

    /// <inheritdoc/>
    public void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination)
    {
        cancellation.ThrowIfCancellationRequested();
        source.CopyRows(name, firstRow, rowCount, type, destination);
        var entry = source.Tensors[name];
        progress?.Invoke(new LoadProgress(Interlocked.Add(ref _read, rowCount * entry.RowLength * entry.DType.BitSize() / 8), _total));
    }

    /// <inheritdoc/>
    public GgmlType? BlocksOf(string name) => (source as IBlockSource)?.BlocksOf(name);

    /// <inheritdoc/>
    public void CopyBlocks(string name, nint destination, long byteLength)
    {
        cancellation.ThrowIfCancellationRequested();
        ((IBlockSource)source).CopyBlocks(name, destination, byteLength);
        progress?.Invoke(new LoadProgress(Interlocked.Add(ref _read, source.Tensors[name].ByteLength), _total));
    }

    /// <inheritdoc/>
    public float[] ReadSingles(string name) => source.ReadSingles(name);

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();
}
