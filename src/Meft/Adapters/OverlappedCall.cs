using Meft.Adapters.Execution;
using Meft.Devices;
using Meft.Memory;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>
/// One layer's use of the adapter beside the feed-forward block. Two operations of autograd stand around the block's: <see cref="DepartFunction"/>
/// before it, which x goes into, and <see cref="ArriveFunction"/> after it, which y comes out of; a ticket of one element ties the second to the
/// first. Autograd runs the latest operation first: the second one's backward sends dy to the host, then the block's own backward is started, then
/// the first one's backward waits for dy, computes, and returns dx.
/// </summary>
internal sealed class OverlappedCall : IAdapterCall
{
    private readonly SparseAdapter _adapter;
    private readonly int _layer;
    private readonly Tensor _x;
    private readonly bool _recorded = is_grad_enabled();
    private readonly Tensor? _ticket;
    private readonly IHostTransfer? _arriving;
    private readonly IForwardWork? _forward;
    private AdapterPass? _pass;
    private bool _finished;
    private IBackwardWork? _backward;

    public OverlappedCall(SparseAdapter adapter, int layer, Tensor x, IDeviceLink link, Tensor anchor)
    {
        (_adapter, _layer, _x) = (adapter, layer, x);
        _pass = adapter.TakeRemembered(layer);
        try
        {
            if (_pass is null) _arriving = link.BeginToHost(x, LinkUse.Activations);
            _forward = adapter.Executor.BeginForward(x);
            if (_recorded) _ticket = DepartFunction.Apply(x, anchor, this);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Tensor Finish()
    {
        _pass ??= _adapter.Select(_layer, _arriving!.Finish());
        var y = _recorded ? ArriveFunction.Apply(_ticket!, this) : Forward();
        if (!_recorded) _adapter.KeepOrDispose(_layer, _pass);
        _finished = true; // the pass belongs to the backward now, or to the second run
        return y;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arriving?.Dispose();
        _forward?.Dispose();
        _ticket?.Dispose();
        if (!_finished) _pass?.Dispose();
    }

    /// <summary>y [T, D].</summary>
    internal Tensor Forward() => _forward!.Finish(_pass!, _x);

    /// <summary>dy [T, D] is there.</summary>
    internal void BeginBackward(Tensor dy)
    {
        // An exception must not cross libtorch's frames: it is kept, and thrown when backward has returned.
        try
        {
            _backward = _adapter.Executor.BeginBackward(_pass!, dy);
        }
        catch (Exception e) when (_adapter.KeepFailure(e))
        {
            _backward = null;
        }
    }

    /// <summary>There will be no dx.</summary>
    internal void AbandonBackward()
    {
        _backward?.Dispose();
        _pass?.Dispose();
    }

    /// <summary>x [T, D] → dx [T, D].</summary>
    internal Tensor FinishBackward(Tensor x)
    {
        try
        {
            using (_pass)
            using (_backward) return _backward?.Finish(x) ?? zeros_like(x);
        }
        catch (Exception e) when (_adapter.KeepFailure(e))
        {
            return zeros_like(x);
        }
    }
}
