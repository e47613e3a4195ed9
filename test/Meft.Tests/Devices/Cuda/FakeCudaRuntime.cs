using System.Runtime.InteropServices;
using Meft.Devices.Cuda;

namespace Meft.Tests.Devices.Cuda;

/// <summary>
/// A runtime whose device is host memory. What is computed on stream 0 is done at once, by torch on the CPU; a copy of another stream is done as
/// late as the events allow (or, with a chance, earlier), so that a missing event shows as numbers that are not there yet or no longer.
/// </summary>
/// <param name="chance">Decides after every call how much is done before it must be; null: nothing.</param>
internal sealed unsafe class FakeCudaRuntime(Random? chance = null) : ICudaRuntime
{
    private readonly Dictionary<nint, Stream> _streams = [];
    private readonly Dictionary<nint, Point?> _events = [];
    private readonly Dictionary<nint, long> _pinned = [];
    private nint _next = 1;

    /// <summary>What a card would have made an error or a wrong number, and the order of copies would hide here.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>The copies asked for, each with the <see cref="Clock"/> of stream 0 that it waits for.</summary>
    public List<(CopyDirection Direction, long Bytes, long After)> Copies { get; } = [];

    /// <summary>Works that stream 0 has been given; a test counts it up.</summary>
    public long Clock { get; set; }

    /// <summary>Streams, events and pieces of pinned memory that have not been given back.</summary>
    public int LiveHandles => _streams.Count + _events.Count + _pinned.Count;

    /// <summary>How often memory was pinned.</summary>
    public int Allocations { get; private set; }

    /// <summary>How often the host waited for a copy that was not through.</summary>
    public int HostWaits { get; private set; }

    public int? CurrentDevice { get; private set; }

    public void SetDevice(int index) => CurrentDevice = index;

    public nint CreateStream()
    {
        _streams.Add(++_next, new Stream());
        return _next;
    }

    public bool DestroyStream(nint stream)
    {
        if (_streams[stream].Pending > 0) Violations.Add("a stream is destroyed while it has work");
        return _streams.Remove(stream);
    }

    public nint CreateEvent()
    {
        _events.Add(++_next, null);
        return _next;
    }

    public bool DestroyEvent(nint handle) => _events.Remove(handle);

    public void Record(nint handle, nint stream)
    {
        _events[handle] = stream == CudaLink.ComputeStream ? new Point(null, 0, Clock) : new Point(_streams[stream], _streams[stream].Works.Count, 0);
        Chance();
    }

    public void Wait(nint stream, nint handle)
    {
        var point = At(handle);
        if (stream == CudaLink.ComputeStream)
        {
            Reach(point);
            return;
        }
        var waiting = _streams[stream];
        waiting.After = Math.Max(waiting.After, point.Clock);
        waiting.Works.Add(() => Reach(point));
        Chance();
    }

    public void Synchronize(nint handle)
    {
        if (!HasCome(handle)) HostWaits++;
        Reach(At(handle));
    }

    public bool HasCome(nint handle) => At(handle) is var point && (point.Stream is null || point.Stream.Done >= point.Position);

    public void Copy(nint target, nint source, long byteCount, CopyDirection direction, nint stream)
    {
        var host = direction == CopyDirection.ToHost ? target : source;
        if (!_pinned.Any(p => host >= p.Key && host + byteCount <= p.Key + p.Value)) Violations.Add("a copy uses memory that is not pinned");
        var at = _streams[stream];
        Copies.Add((direction, byteCount, at.After));
        at.Works.Add(() =>
        {
            if (!_pinned.Any(p => host >= p.Key && host + byteCount <= p.Key + p.Value)) Violations.Add("pinned memory is freed before its copy");
            else Buffer.MemoryCopy((void*)source, (void*)target, byteCount, byteCount);
        });
        Chance();
    }

    public nint AllocatePinned(long byteCount)
    {
        Allocations++;
        var memory = (nint)NativeMemory.Alloc((nuint)byteCount);
        NativeMemory.Fill((void*)memory, (nuint)byteCount, 0xFF); // NaN in every type
        _pinned.Add(memory, byteCount);
        return memory;
    }

    public bool FreePinned(nint memory)
    {
        if (!_pinned.Remove(memory)) return false;
        NativeMemory.Free((void*)memory);
        return true;
    }

    public (long Free, long Total) DeviceBytes() => (3L << 30, 8L << 30);

    private Point At(nint handle) => _events[handle] ?? throw new InvalidOperationException("an event that was never recorded");

    private static void Reach(Point point) => point.Stream?.Run(point.Position);

    private void Chance()
    {
        if (chance is null) return;
        foreach (var stream in _streams.Values.ToList()) stream.Run(chance.Next(stream.Done, stream.Works.Count + 1));
    }

    /// <summary>A place in a stream; no stream for stream 0, whose works are all done.</summary>
    private sealed record Point(Stream? Stream, int Position, long Clock);

    private sealed class Stream
    {
        public List<Action> Works { get; } = [];

        public int Done { get; private set; }

        public int Pending => Works.Count - Done;

        public long After { get; set; }

        public void Run(int to)
        {
            while (Done < to) Works[Done++]();
        }
    }
}
