using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;

namespace Meft.Loading;

/// <summary>A source that tells how much of it has been copied, and stops between two tensors when asked to.</summary>
internal sealed class ObservedTensorSource(ITensorSource source, Action<LoadProgress>? progress, CancellationToken cancellation) : ITensorSource, IBlockSource
{
    private readonly long _total = source.Tensors.Values.Sum(t => t.ByteLength);
    private long _read;

    /// <inheritdoc/>
    public string Path => source.Path;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => source.Tensors;

    /// <inheritdoc/>
    public nint Pointer(string name) => source.Pointer(name);

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength)
    {
        cancellation.ThrowIfCancellationRequested();
        source.CopyTo(name, destination, byteLength);
        progress?.Invoke(new LoadProgress(Interlocked.Add(ref _read, byteLength), _total));
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
