using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>Reads weights into blocks.</summary>
internal static class QuantizedLoader
{
    /// <summary>A weight in blocks, [bytes] in host memory, entered into the list; null where it stays plain.</summary>
    /// <param name="source">Where it is read from.</param>
    /// <param name="spec">The weight.</param>
    /// <param name="type">The type of the plain weights: what is quantised are these, as they would be without quantisation.</param>
    /// <param name="weights">The list.</param>
    /// <exception cref="InvalidInputException">A weight is not finite.</exception>
    public static Tensor? TryRead(ITensorSource source, WeightSpec spec, ScalarType type, QuantizedWeights weights)
    {
        if (!QuantizedWeights.MayBe(spec)) return null;
        var format = weights.Kind switch
        {
            Quantization.Int8 => BlockFormat.Int8,
            Quantization.Nf4 => BlockFormat.Nf4,
            Quantization.Gguf => (source as IBlockSource)?.BlocksOf(spec.Name) is { } stored ? BlockDecoder.FormatOf(stored) : null,
            _ => (BlockFormat?)null,
        };
        if (format is null) return null;
        var layout = new BlockLayout(format.Value, checked((int)spec.Shape[0]), checked((int)spec.Shape[1]));
        var data = empty(layout.ByteCount, ScalarType.Byte);
        Fill(source, spec, type, layout, data);
        weights.Add(spec.Name, layout);
        return data;
    }

    private static unsafe void Fill(ITensorSource source, WeightSpec spec, ScalarType type, BlockLayout layout, Tensor data)
    {
        var address = (nint)TensorMemory.Pointer(data);
        if (layout.Format is not (BlockFormat.Int8 or BlockFormat.Nf4))
        {
            ((IBlockSource)source).CopyBlocks(spec.Name, address, layout.ByteCount);
            return;
        }
        using var stored = source.ReadTensor(spec.Name);
        using var plain = stored.to(type);
        using var single = plain.to(ScalarType.Float32);
        if (!BlockQuantizer.Quantize(TensorMemory.Singles(single), new BlockMatrix(layout, address)))
        {
            throw new InvalidInputException(
                $"tensor '{spec.Name}' holds numbers that are not finite, which cannot be quantised", source.Path, "finite weights",
                "get the model anew, or load it without quantize");
        }
    }
}
