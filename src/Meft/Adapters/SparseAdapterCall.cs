using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>One use of one layer in one forward pass: what its backward needs stays here between the two.</summary>
internal sealed unsafe class SparseAdapterCall(int layerIndex, SparseLayer layer, SparseAdapter owner)
{
    private ActiveSet? _active;

    /// <summary>x [T, D] → y [T, D] like x; <paramref name="hostInput"/> is x as contiguous float32 host memory.</summary>
    public Tensor Forward(Tensor x, out Tensor hostInput)
    {
        hostInput = ToHost(x);
        owner.CountTransfers(x); // x to the host, y to the device
        using var y = empty(x.shape, ScalarType.Float32);
        _active = layer.Forward(TensorMemory.Singles(hostInput), (int)x.shape[0], TensorMemory.Singles(y));
        owner.Observe(layerIndex, _active);
        return y.to(x.dtype, x.device, copy: true);
    }

    /// <summary>dy [T, D] → dx [T, D]; adds to the layer's gradients.</summary>
    public Tensor Backward(Tensor x, Tensor dy)
    {
        using var hostGradient = ToHost(dy);
        owner.CountTransfers(dy); // dy to the host, dx to the device
        using var dx = empty(x.shape, ScalarType.Float32);
        // An exception must not cross libtorch's frames: it is kept, and thrown when backward has returned.
        try
        {
            layer.Backward(_active!, TensorMemory.Singles(x), TensorMemory.Singles(hostGradient), TensorMemory.Singles(dx));
        }
        catch (Exception e) when (owner.KeepFailure(e))
        {
            dx.zero_();
        }
        return dx.to(dy.dtype, dy.device, copy: true);
    }

    private static Tensor ToHost(Tensor tensor)
    {
        using var detached = tensor.detach();
        using var single = detached.to(ScalarType.Float32, CPU);
        return single.contiguous();
    }
}
