using Meft.Memory;
using static TorchSharp.torch;

namespace Meft.Devices.Cuda;

/// <summary>A tensor on its way to host memory.</summary>
/// <param name="source">The tensor on the device, kept until the copy is through; owned.</param>
/// <param name="staging">Where it arrives.</param>
/// <param name="done">Comes when it is there; owned.</param>
/// <param name="pool">Where the staging buffer goes back to.</param>
internal sealed class CudaHostTransfer(Tensor source, StagingBuffer staging, CudaEvent done, StagingPool pool) : IHostTransfer
{
    private bool _ended;

    /// <inheritdoc/>
    public Tensor Finish()
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        done.Synchronize();
        using var view = staging.Memory.View(source.numel(), source.dtype);
        using var shaped = view.view(source.shape);
        var arrived = shaped.to(ScalarType.Float32, CPU, copy: true);
        End();
        return arrived;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ended) return;
        done.Synchronize();
        End();
    }

    private void End()
    {
        _ended = true;
        source.Dispose();
        done.Dispose();
        pool.Return(staging);
    }
}

/// <summary>A copy into a tensor on the device.</summary>
internal sealed class CudaTransfer(CudaLink link, CudaEvent done) : ITransfer
{
    /// <inheritdoc/>
    public void Wait()
    {
        if (done.IsClosed) return;
        link.ComputeAfter(done);
        done.Dispose();
    }
}

/// <summary>Room on the device.</summary>
/// <param name="link">What fills it.</param>
/// <param name="place">The room; owned until it is filled.</param>
/// <param name="free">Comes when nothing that was computed before uses the room's memory; owned.</param>
internal sealed class CudaRoom(CudaLink link, Tensor place, CudaEvent free) : IDeviceRoom
{
    private bool _filled;

    /// <inheritdoc/>
    public Tensor Fill(Tensor source, LinkUse use)
    {
        ObjectDisposedException.ThrowIf(_filled, this);
        link.Send(source, place, free, use);
        _filled = true;
        CurrentDisposeScope?.Attach(place);
        return place;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        free.Dispose();
        if (!_filled) place.Dispose();
    }
}
