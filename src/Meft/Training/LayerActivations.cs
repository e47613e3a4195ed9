using Meft.Core.Planning;
using Meft.Models;
using Meft.Native;
using TorchSharp;

namespace Meft.Training;

/// <summary>What autograd keeps inside a layer for its backward pass, by the list that the plan goes by.</summary>
internal static class LayerActivations
{
    /// <summary>Bytes of one layer for the tokens of a layout.</summary>
    public static long ByteCount(Decoder decoder, TokenLayout layout) =>
        layout.TokenCount * KeptForBackward.BytesPerToken(
            decoder.Config, TensorMemory.ElementBytes(decoder.DataType), decoder.IsTrainable, onHost: decoder.Device.type == DeviceType.CPU);
}
