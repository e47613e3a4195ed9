using Meft.Devices;
using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

/// <summary>A link within host memory that says it copies aside and writes down what is asked of it.</summary>
internal sealed class RecordingLink(List<string> events) : IDeviceLink
{
    private readonly HostLink _inner = new(CPU, null);

    /// <summary>Thrown by the next copy to the host.</summary>
    public Exception? Failure { get; set; }

    public bool CopiesAside => true;

    public Tensor ToHost(Tensor tensor, LinkUse use) => _inner.ToHost(tensor, use);

    public IHostTransfer BeginToHost(Tensor tensor, LinkUse use)
    {
        events.Add("copy begins");
        return Failure is null ? new Transfer(_inner.BeginToHost(tensor, use), events) : throw Failure;
    }

    public Tensor ToDevice(Tensor tensor, ScalarType type, LinkUse use)
    {
        events.Add("sent");
        return _inner.ToDevice(tensor, type, use);
    }

    public IDeviceRoom Reserve(long[] shape, ScalarType type) => new Room(_inner.Reserve(shape, type), events);

    public ITransfer BeginToDevice(Tensor source, Tensor target, LinkUse use) => _inner.BeginToDevice(source, target, use);

    public Tensor HostBuffer(long elementCount, ScalarType type) => _inner.HostBuffer(elementCount, type);

    public void Dispose() => _inner.Dispose();

    private sealed class Transfer(IHostTransfer inner, List<string> events) : IHostTransfer
    {
        public Tensor Finish()
        {
            events.Add("host reads");
            return inner.Finish();
        }

        public void Dispose() => inner.Dispose();
    }

    private sealed class Room(IDeviceRoom inner, List<string> events) : IDeviceRoom
    {
        public Tensor Fill(Tensor source, LinkUse use)
        {
            events.Add("sent");
            return inner.Fill(source, use);
        }

        public void Dispose() => inner.Dispose();
    }
}
