using System.Runtime.InteropServices;

namespace Meft.Devices.Cuda;

/// <summary>Something that CUDA's runtime handed out and wants back.</summary>
internal abstract class CudaHandle : SafeHandle
{
    private protected CudaHandle(ICudaRuntime runtime, nint value)
        : base(0, ownsHandle: true)
    {
        Runtime = runtime;
        SetHandle(value);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The handle; valid while this object is.</summary>
    public nint Value => !IsClosed ? handle : throw new ObjectDisposedException(GetType().Name);

    private protected ICudaRuntime Runtime { get; }
}

/// <summary>An own stream.</summary>
internal sealed class CudaStream(ICudaRuntime runtime) : CudaHandle(runtime, runtime.CreateStream())
{
    /// <summary>An event that comes when the stream has done what it has been given so far.</summary>
    public CudaEvent Record() => CudaEvent.On(Runtime, Value);

    /// <summary>Does what comes next after an event only.</summary>
    public void WaitFor(CudaEvent before) => Runtime.Wait(Value, before.Value);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Runtime.DestroyStream(handle);
}

/// <summary>An event that has been recorded.</summary>
internal sealed class CudaEvent : CudaHandle
{
    private CudaEvent(ICudaRuntime runtime)
        : base(runtime, runtime.CreateEvent())
    {
    }

    /// <summary>Whether it has come.</summary>
    public bool HasCome => Runtime.HasCome(Value);

    /// <summary>Records a new event on a stream.</summary>
    public static CudaEvent On(ICudaRuntime runtime, nint stream)
    {
        var made = new CudaEvent(runtime);
        runtime.Record(made.handle, stream);
        return made;
    }

    /// <summary>Returns when it has come.</summary>
    public void Synchronize() => Runtime.Synchronize(Value);

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Runtime.DestroyEvent(handle);
}
