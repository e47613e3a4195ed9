using System.Runtime.InteropServices;
using Meft.Core.Errors;
using Meft.Native;

namespace Meft.Devices.Cuda;

/// <summary>
/// CUDA's runtime (the CUDA Runtime API, versions 11 to 13), called through its C functions; loaded when a card is used for the first time.
/// Every call that fails is a <see cref="RunFailedException"/> with the call and CUDA's own text.
/// </summary>
internal sealed unsafe class CudaRuntime : ICudaRuntime
{
    private const int Success = 0, NotReady = 600;
    private const uint NonBlockingStream = 1, EventWithoutTime = 2, PinnedForAllContexts = 1;

    private static readonly Lazy<CudaRuntime> Loaded = new(() =>
    {
        var library = CudaLibrary.Load(NativeTorch.Load().LibtorchFolder);
        return new CudaRuntime(name => NativeLibrary.TryGetExport(library, name, out var address) ? address : 0);
    });

    private readonly delegate* unmanaged<int, int> _setDevice;
    private readonly delegate* unmanaged<nint*, uint, int> _createStream, _createEvent;
    private readonly delegate* unmanaged<nint, int> _destroyStream, _destroyEvent, _synchronizeEvent, _queryEvent, _freeHost;
    private readonly delegate* unmanaged<nint, nint, int> _record;
    private readonly delegate* unmanaged<nint, nint, uint, int> _wait;
    private readonly delegate* unmanaged<nint, nint, nuint, int, nint, int> _copy;
    private readonly delegate* unmanaged<nint*, nuint, uint, int> _allocateHost;
    private readonly delegate* unmanaged<nuint*, nuint*, int> _memory;
    private readonly delegate* unmanaged<int, nint> _errorText;
    private readonly delegate* unmanaged<int> _lastError;

    /// <summary>Binds the functions.</summary>
    /// <param name="export">The address of a function by its C name; 0 where there is none.</param>
    /// <exception cref="RunFailedException">A function is missing.</exception>
    internal CudaRuntime(Func<string, nint> export)
    {
        nint Need(string name) => export(name) is not 0 and var address ? address : throw new RunFailedException(
            $"CUDA's runtime library has no function {name}", null, "CUDA 11 to 13",
            $"point MEFT_LIBTORCH at a libtorch with another CUDA, or set {DeviceLinks.CopiesVariable}=plain");

        _setDevice = (delegate* unmanaged<int, int>)Need("cudaSetDevice");
        _createStream = (delegate* unmanaged<nint*, uint, int>)Need("cudaStreamCreateWithFlags");
        _createEvent = (delegate* unmanaged<nint*, uint, int>)Need("cudaEventCreateWithFlags");
        _destroyStream = (delegate* unmanaged<nint, int>)Need("cudaStreamDestroy");
        _destroyEvent = (delegate* unmanaged<nint, int>)Need("cudaEventDestroy");
        _synchronizeEvent = (delegate* unmanaged<nint, int>)Need("cudaEventSynchronize");
        _queryEvent = (delegate* unmanaged<nint, int>)Need("cudaEventQuery");
        _freeHost = (delegate* unmanaged<nint, int>)Need("cudaFreeHost");
        _record = (delegate* unmanaged<nint, nint, int>)Need("cudaEventRecord");
        _wait = (delegate* unmanaged<nint, nint, uint, int>)Need("cudaStreamWaitEvent");
        _copy = (delegate* unmanaged<nint, nint, nuint, int, nint, int>)Need("cudaMemcpyAsync");
        _allocateHost = (delegate* unmanaged<nint*, nuint, uint, int>)Need("cudaHostAlloc");
        _memory = (delegate* unmanaged<nuint*, nuint*, int>)Need("cudaMemGetInfo");
        _errorText = (delegate* unmanaged<int, nint>)Need("cudaGetErrorString");
        _lastError = (delegate* unmanaged<int>)Need("cudaGetLastError");
    }

    /// <summary>The runtime of this process.</summary>
    /// <exception cref="RunFailedException">It cannot be loaded.</exception>
    public static CudaRuntime Load() => Loaded.Value;

    /// <inheritdoc/>
    public void SetDevice(int index) => Require(_setDevice(index), "cudaSetDevice", $"cuda:{index}");

    /// <inheritdoc/>
    public nint CreateStream()
    {
        nint stream;
        Require(_createStream(&stream, NonBlockingStream), "cudaStreamCreateWithFlags");
        return stream;
    }

    /// <inheritdoc/>
    public bool DestroyStream(nint stream) => Succeeded(_destroyStream(stream));

    /// <inheritdoc/>
    public nint CreateEvent()
    {
        nint made;
        Require(_createEvent(&made, EventWithoutTime), "cudaEventCreateWithFlags");
        return made;
    }

    /// <inheritdoc/>
    public bool DestroyEvent(nint handle) => Succeeded(_destroyEvent(handle));

    /// <inheritdoc/>
    public void Record(nint handle, nint stream) => Require(_record(handle, stream), "cudaEventRecord");

    /// <inheritdoc/>
    public void Wait(nint stream, nint handle) => Require(_wait(stream, handle, 0), "cudaStreamWaitEvent");

    /// <inheritdoc/>
    public void Synchronize(nint handle) => Require(_synchronizeEvent(handle), "cudaEventSynchronize");

    /// <inheritdoc/>
    public bool HasCome(nint handle)
    {
        var result = _queryEvent(handle);
        if (result != NotReady)
        {
            Require(result, "cudaEventQuery");
            return true;
        }
        ForgetError(); // "not yet" counts as an error, which libtorch would find
        return false;
    }

    /// <inheritdoc/>
    public void Copy(nint target, nint source, long byteCount, CopyDirection direction, nint stream) =>
        Require(_copy(target, source, (nuint)byteCount, (int)direction, stream), "cudaMemcpyAsync", $"{byteCount:N0} bytes");

    /// <inheritdoc/>
    public nint AllocatePinned(long byteCount)
    {
        nint memory;
        Require(_allocateHost(&memory, (nuint)byteCount, PinnedForAllContexts), "cudaHostAlloc", $"{byteCount:N0} bytes");
        return memory;
    }

    /// <inheritdoc/>
    public bool FreePinned(nint memory) => Succeeded(_freeHost(memory));

    /// <inheritdoc/>
    public (long Free, long Total) DeviceBytes()
    {
        nuint free, total;
        Require(_memory(&free, &total), "cudaMemGetInfo");
        return ((long)free, (long)total);
    }

    private bool Succeeded(int result)
    {
        if (result == Success) return true;
        ForgetError();
        return false;
    }

    private void Require(int result, string call, string? what = null)
    {
        if (result == Success) return;
        ForgetError();
        var text = Marshal.PtrToStringUTF8(_errorText(result)) ?? "no text";
        throw new RunFailedException(
            $"CUDA's {call}{(what is null ? "" : $" ({what})")} failed: {text} (error {result})", null, null,
            "look at the card with `nvidia-smi` and at `meft doctor`; an error of a kernel is often seen only by a later call");
    }

    /// <summary>The runtime remembers the last error; whoever asks next, libtorch it may be, would take it for its own.</summary>
    private void ForgetError() => _ = _lastError();
}
