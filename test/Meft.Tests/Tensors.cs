using Meft.Core.Formats;
using static TorchSharp.torch;

namespace Meft.Tests;

/// <summary>Reads tensors of a file for comparison, all numbers as float64 or int64.</summary>
internal static class Tensors
{
    public static unsafe Tensor Read(ITensorSource source, string name)
    {
        var entry = source.Tensors[name];
        long[] shape = [.. entry.Shape];
        var count = (int)shape.Aggregate(1L, (a, b) => a * b);
        var data = (void*)source.Pointer(name);
        return entry.DType switch
        {
            TensorDType.F64 => tensor(new ReadOnlySpan<double>(data, count).ToArray(), shape),
            TensorDType.I64 => tensor(new ReadOnlySpan<long>(data, count).ToArray(), shape),
            TensorDType.I32 => tensor(new ReadOnlySpan<int>(data, count).ToArray(), shape).to(ScalarType.Int64),
            TensorDType.U8 => tensor(new ReadOnlySpan<byte>(data, count).ToArray(), shape).to(ScalarType.Int64),
            _ => tensor(source.ReadSingles(name), shape).to(ScalarType.Float64),
        };
    }
}
