namespace Meft.Models;

/// <summary>An adapter whose forward pass selects what it computes with, and that can be told to select once for two passes.</summary>
public interface ISelectingAdapter : IDecoderAdapter
{
    /// <summary>
    /// Until the result is disposed, the second forward pass of a layer uses what the first one selected: activation recompute sees the
    /// same active rows, whatever the device's rounding, and pays for the selection once.
    /// </summary>
    IDisposable RememberSelections();
}
