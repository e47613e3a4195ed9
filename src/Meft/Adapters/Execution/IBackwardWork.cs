using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>A layer's backward that has begun.</summary>
internal interface IBackwardWork : IDisposable
{
    /// <summary>x [T, D] on the device → dx [T, D] like dy; adds dK, dV, dG to the layer's gradients in host memory.</summary>
    Tensor Finish(Tensor x);
}
