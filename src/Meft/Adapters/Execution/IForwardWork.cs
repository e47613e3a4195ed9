using static TorchSharp.torch;

namespace Meft.Adapters.Execution;

/// <summary>A layer's forward that has begun.</summary>
internal interface IForwardWork : IDisposable
{
    /// <summary>x [T, D] on the device, with its selection → y [T, D] like x.</summary>
    Tensor Finish(AdapterPass pass, Tensor x);
}
