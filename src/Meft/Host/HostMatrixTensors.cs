using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Host;

/// <summary>Copies between host matrices and tensors.</summary>
internal static unsafe class HostMatrixTensors
{
    /// <summary>A copy of a matrix as a float32 tensor in host memory, [rows, D].</summary>
    public static Tensor ToTensor(HostMatrix matrix)
    {
        var copy = empty(matrix.Rows, matrix.Dimension, ScalarType.Float32);
        if (matrix.ByteCount > 0) Buffer.MemoryCopy(matrix.Data, TensorMemory.Singles(copy), matrix.ByteCount, matrix.ByteCount);
        GC.KeepAlive(matrix);
        return copy;
    }

    /// <summary>Overwrites a tensor with a matrix's numbers, whatever its type, device and shape; their count must be the same. No graph may hold the tensor.</summary>
    public static void CopyTo(this HostMatrix matrix, Tensor tensor)
    {
        if (tensor.dtype == ScalarType.Float32 && tensor.device.type == TorchSharp.DeviceType.CPU && tensor.is_contiguous() && tensor.numel() * sizeof(float) == matrix.ByteCount)
        {
            if (matrix.ByteCount > 0) Buffer.MemoryCopy(matrix.Data, TensorMemory.Singles(tensor), matrix.ByteCount, matrix.ByteCount);
            GC.KeepAlive(matrix);
            return;
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        tensor.copy_(ToTensor(matrix).view(tensor.shape));
    }

    /// <summary>Overwrites a matrix with a tensor's numbers, whatever its type, device and shape; their count must be the same.</summary>
    public static void CopyFrom(this HostMatrix matrix, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var single = tensor.detach().to(ScalarType.Float32, CPU).contiguous();
        if (single.numel() != (long)matrix.Rows * matrix.Dimension)
            throw new ArgumentException($"{single.numel()} numbers do not fit [{matrix.Rows}, {matrix.Dimension}]", nameof(tensor));
        if (matrix.ByteCount > 0) Buffer.MemoryCopy(TensorMemory.Singles(single), matrix.Data, matrix.ByteCount, matrix.ByteCount);
    }
}
