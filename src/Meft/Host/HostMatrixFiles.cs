using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Safetensors;

namespace Meft.Host;

/// <summary>Host matrices in safetensors files, without a copy in between.</summary>
internal static unsafe class HostMatrixFiles
{
    /// <summary>Adds a float32 tensor whose numbers lie in a matrix.</summary>
    public static void Add(SafetensorsWriter writer, string name, IReadOnlyList<long> shape, HostMatrix matrix) =>
        writer.Add(name, TensorDType.F32, shape, (nint)matrix.Data, matrix.ByteCount, matrix);

    /// <summary>Overwrites a matrix with a float32 tensor of a file.</summary>
    /// <exception cref="InvalidInputException">The tensor is missing, or of another type or shape.</exception>
    public static void Read(ITensorSource source, string name, IReadOnlyList<long> shape, HostMatrix matrix)
    {
        Require(source, name, shape);
        source.CopyTo(name, (nint)matrix.Data, matrix.ByteCount);
        GC.KeepAlive(matrix);
    }

    /// <summary>Refuses a file without a float32 tensor of a shape.</summary>
    /// <exception cref="InvalidInputException">The tensor is missing, or of another type or shape.</exception>
    public static void Require(ITensorSource source, string name, IReadOnlyList<long> shape)
    {
        if (!source.Tensors.TryGetValue(name, out var entry))
            throw new InvalidInputException($"tensor '{name}' is missing", source.Path, null, "the file is not complete, or another program's");
        if (entry.DType != TensorDType.F32 || !entry.Shape.SequenceEqual(shape))
        {
            throw new InvalidInputException(
                $"tensor '{name}' is {entry.DType} [{string.Join(", ", entry.Shape)}]", source.Path, $"F32 [{string.Join(", ", shape)}]");
        }
    }
}
