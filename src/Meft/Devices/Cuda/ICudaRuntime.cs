namespace Meft.Devices.Cuda;

/// <summary>
/// What is used of CUDA's runtime. A stream's work is done in order; works of two streams are ordered by events only. Stream 0 is the one that
/// libtorch computes on. An event that is destroyed, and a wait for it that has been called before, both stay good until they are through.
/// </summary>
internal interface ICudaRuntime
{
    /// <summary>Makes a device the calling thread's own; all calls below are for that one.</summary>
    void SetDevice(int index);

    /// <summary>A stream that does not wait for stream 0 by itself, nor stream 0 for it.</summary>
    nint CreateStream();

    /// <summary>Gives a stream back; false where that failed.</summary>
    bool DestroyStream(nint stream);

    /// <summary>An event, not recorded yet.</summary>
    nint CreateEvent();

    /// <summary>Gives an event back; false where that failed.</summary>
    bool DestroyEvent(nint handle);

    /// <summary>Makes an event stand for what a stream has been given so far.</summary>
    void Record(nint handle, nint stream);

    /// <summary>Makes a stream wait for an event before what it is given from now on; the host goes on.</summary>
    void Wait(nint stream, nint handle);

    /// <summary>Returns when an event has come.</summary>
    void Synchronize(nint handle);

    /// <summary>Whether an event has come.</summary>
    bool HasCome(nint handle);

    /// <summary>Gives a stream a copy between pinned host memory and the device.</summary>
    void Copy(nint target, nint source, long byteCount, CopyDirection direction, nint stream);

    /// <summary>Host memory that the device reads and writes by itself.</summary>
    nint AllocatePinned(long byteCount);

    /// <summary>Gives pinned memory back; false where that failed.</summary>
    bool FreePinned(nint memory);

    /// <summary>Free and total bytes of the device.</summary>
    (long Free, long Total) DeviceBytes();
}
