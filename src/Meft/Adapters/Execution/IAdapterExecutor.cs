using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>Where the sparse arithmetic of a layer runs and what crosses the link for it (docs/method.md, section 5).</summary>
internal interface IAdapterExecutor
{
    /// <summary>Begins what of the forward needs no selection. x [T, D] on the device.</summary>
    IForwardWork BeginForward(Tensor x);

    /// <summary>Begins what of the backward can run beside the device's own. dy [T, D] on the device.</summary>
    IBackwardWork BeginBackward(AdapterPass pass, Tensor dy);

    /// <summary>x [T, D] on the device, with its selection → y [T, D] like x.</summary>
    Tensor Forward(AdapterPass pass, Tensor x)
    {
        using var work = BeginForward(x);
        return work.Finish(pass, x);
    }

    /// <summary>x, dy [T, D] on the device → dx [T, D] like dy; adds dK, dV, dG to the layer's gradients in host memory.</summary>
    Tensor Backward(AdapterPass pass, Tensor x, Tensor dy)
    {
        using var work = BeginBackward(pass, dy);
        return work.Finish(x);
    }
}
