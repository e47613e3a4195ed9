using System.Numerics;

namespace Meft.Devices.Cuda;

/// <summary>
/// Pinned buffers in sizes that are powers of two, used again and again: to pin memory takes longer than most copies. A buffer that comes back
/// with its copy under way is handed out again after that copy only.
/// </summary>
internal sealed class StagingPool(ICudaRuntime runtime) : IDisposable
{
    private const int LeastBytes = 1 << 16;

    /// <summary>So many buffers of one size may be on their way; then the oldest one is waited for.</summary>
    private const int MostOfOneSize = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, Queue<StagingBuffer>> _returned = [];

    /// <summary>Bytes pinned, those that are handed out included.</summary>
    public long ByteCount { get; private set; }

    /// <summary>A buffer of at least so many bytes that no copy uses.</summary>
    public StagingBuffer Rent(long byteCount)
    {
        var size = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(byteCount, LeastBytes));
        lock (_gate)
        {
            var returned = OfSize(size);
            if (returned.TryPeek(out var oldest) && (returned.Count >= MostOfOneSize || oldest.IsFree))
            {
                returned.Dequeue().WaitUntilFree();
                return oldest;
            }
            var buffer = new StagingBuffer(new PinnedMemory(runtime, size));
            ByteCount += size;
            return buffer;
        }
    }

    /// <summary>Takes a buffer back.</summary>
    public void Return(StagingBuffer buffer)
    {
        lock (_gate) OfSize(buffer.Memory.ByteCount).Enqueue(buffer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var buffer in _returned.Values.SelectMany(q => q)) buffer.Dispose();
            _returned.Clear();
            ByteCount = 0;
        }
    }

    private Queue<StagingBuffer> OfSize(long size)
    {
        if (!_returned.TryGetValue(size, out var queue)) _returned.Add(size, queue = new Queue<StagingBuffer>());
        return queue;
    }
}
