using Meft.Models;
using Meft.Native;

namespace Meft.Training;

/// <summary>What autograd keeps inside a layer for its backward pass.</summary>
internal static class LayerActivations
{
    /// <summary>Bytes of one layer for the tokens of a layout.</summary>
    public static long ByteCount(Decoder decoder, TokenLayout layout) =>
        (long)layout.TokenCount * decoder.Config.HiddenSize * TensorMemory.ElementBytes(decoder.DataType);
}
