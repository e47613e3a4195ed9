using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>Torch tensors from and to tensor files.</summary>
public static class TensorSourceExtensions
{
    /// <summary>Copies a stored tensor into a new CPU tensor of its stored type and shape.</summary>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="InvalidInputException">The stored type has no counterpart here.</exception>
    public static unsafe Tensor ReadTensor(this ITensorSource source, string name)
    {
        if (!source.Tensors.TryGetValue(name, out var entry)) throw new TensorNotFoundException(name, source.Path, source.Tensors.Keys);
        var type = ScalarTypeOf(entry.DType) ?? throw new InvalidInputException(
            $"tensor '{name}' has the type {entry.DType.FileName()}, which cannot be computed with", source.Path);
        var tensor = empty([.. entry.Shape], type, CPU);
        if (entry.ByteLength > 0) source.CopyTo(name, (nint)TensorMemory.Pointer(tensor), entry.ByteLength);
        return tensor;
    }

    /// <summary>Adds a tensor to a file, in its own type. Its data are fetched when the file is saved; until then it must live.</summary>
    /// <exception cref="ArgumentException">The type cannot be stored, or the name is taken.</exception>
    public static void Add(this SafetensorsWriter writer, string name, Tensor tensor)
    {
        var type = StoredTypeOf(tensor.dtype)
            ?? throw new ArgumentException($"tensor '{name}' of type {tensor.dtype} cannot be stored", nameof(tensor));
        writer.Add(name, type, tensor.shape, stream =>
        {
            using var scope = NewDisposeScope();
            using var noGradients = no_grad();
            var flat = tensor.detach().reshape(-1);
            // A span holds at most 2 GiB, and a tensor elsewhere is fetched piece by piece.
            const long piece = 1 << 24;
            for (long done = 0; done < flat.NumberOfElements; done += piece)
            {
                using var part = flat.narrow(0, done, Math.Min(piece, flat.NumberOfElements - done)).cpu();
                stream.Write(part.bytes);
            }
        });
    }

    /// <summary>The torch type of a stored type; null where there is none.</summary>
    internal static ScalarType? ScalarTypeOf(TensorDType type) => type switch
    {
        TensorDType.Bool => ScalarType.Bool,
        TensorDType.U8 => ScalarType.Byte,
        TensorDType.I8 => ScalarType.Int8,
        TensorDType.I16 => ScalarType.Int16,
        TensorDType.I32 => ScalarType.Int32,
        TensorDType.I64 => ScalarType.Int64,
        TensorDType.F16 => ScalarType.Float16,
        TensorDType.BF16 => ScalarType.BFloat16,
        TensorDType.F32 => ScalarType.Float32,
        TensorDType.F64 => ScalarType.Float64,
        _ => null,
    };

    /// <summary>The stored type of a torch type; null where there is none.</summary>
    internal static TensorDType? StoredTypeOf(ScalarType type) =>
        Enum.GetValues<TensorDType>().Where(d => ScalarTypeOf(d) == type).Select(d => (TensorDType?)d).FirstOrDefault();
}
