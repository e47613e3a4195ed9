using Meft.Core.Planning;
using Meft.Models;
using Meft.Native;
using TorchSharp;

namespace Meft.Training;

/// <summary>What autograd keeps inside a layer for its backward pass, by the list that the plan goes by.</summary>
internal static class LayerActivations
{
    /// <summary>Bytes of one layer for the tokens of a layout.</summary>
    /// <param name="decoder">The base.</param>
    /// <param name="adapter">What is trained beside it.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="layout">The tokens.</param>
    /// <param name="ofBase">Whether the base's own operations are recorded: in the lowest adapted layer only where single maps are adapted.</param>
    public static long ByteCount(Decoder decoder, IDecoderAdapter? adapter, int layer, TokenLayout layout, bool ofBase)
    {
        var width = TensorMemory.ElementBytes(decoder.DataType);
        var own = ofBase
            ? KeptForBackward.BytesPerToken(decoder.Config, width, decoder.IsTrainable, onHost: decoder.Device.type == DeviceType.CPU && HostFloats.Takes(decoder.DataType))
            : 0;
        return layout.TokenCount * (own + (adapter?.KeptBytesPerToken(layer, width) ?? 0));
    }
}
