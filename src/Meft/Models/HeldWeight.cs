using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>A weight in the form in which a model holds it.</summary>
/// <param name="Spec">The weight.</param>
/// <param name="Type">The type of its tensor.</param>
/// <param name="Blocks">How its blocks lie; null where it is plain numbers.</param>
internal sealed record HeldWeight(WeightSpec Spec, ScalarType Type, BlockLayout? Blocks)
{
    /// <summary>The shape of its tensor: its own, or its bytes.</summary>
    public long[] Shape => Blocks is { } blocks ? [blocks.ByteCount] : Spec.Shape;

    /// <summary>Bytes of its tensor.</summary>
    public long ByteCount => (Blocks?.ByteCount ?? Spec.ElementCount) * TensorMemory.ElementBytes(Type);

    /// <summary>A new tensor for it, whose numbers are not set.</summary>
    public Tensor Empty(Device device)
    {
        var tensor = empty(Shape, Type, device);
        if (device.type == TorchSharp.DeviceType.CPU) TensorMemory.PreferHugePages(tensor);
        return tensor;
    }
}
