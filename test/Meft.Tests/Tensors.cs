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
        return entry.DType switch
        {
            TensorDType.F64 => tensor(Numbers<double>(), shape),
            TensorDType.I64 => tensor(Numbers<long>(), shape),
            TensorDType.I32 => tensor(Numbers<int>(), shape).to(ScalarType.Int64),
            TensorDType.U8 => tensor(Numbers<byte>(), shape).to(ScalarType.Int64),
            _ => tensor(source.ReadSingles(name), shape).to(ScalarType.Float64),
        };

        T[] Numbers<T>() where T : unmanaged
        {
            var numbers = new T[count];
            fixed (T* target = numbers) source.CopyTo(name, (nint)target, entry.ByteLength);
            return numbers;
        }
    }
}
