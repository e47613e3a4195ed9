using Meft.Host;
using Meft.Kernels;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Training;

/// <summary>
/// A tensor trained by AdamW over all its numbers: the tensor is on the device in the model's type, its float32 master and moments
/// wait in host memory.
/// </summary>
internal sealed unsafe class TensorMaster : IDisposable
{
    private readonly Tensor _tensor;
    private readonly HostMatrix _gradient;

    /// <param name="name">The name in files.</param>
    /// <param name="tensor">A leaf that requires gradients; stays the caller's.</param>
    public TensorMaster(string name, Tensor tensor)
    {
        _tensor = tensor;
        var dimension = tensor.shape.Length == 0 ? 1 : (int)tensor.shape[^1];
        var rows = (int)(tensor.numel() / dimension);
        Matrix = new TrainedMatrix(name, tensor.shape, new ParameterRows(rows, dimension));
        _gradient = new HostMatrix(rows, dimension);
        Matrix.Rows.Weights.CopyFrom(tensor);
    }

    /// <summary>The master with its moments.</summary>
    public TrainedMatrix Matrix { get; }

    /// <summary>Bytes of host memory.</summary>
    public long HostByteCount => Matrix.Rows.ByteCount + _gradient.ByteCount;

    /// <summary>Bytes of the tensor on the device.</summary>
    public long TensorByteCount => TensorMemory.ByteCount(_tensor);

    /// <summary>Brings the gradient to the host and returns its squared norm.</summary>
    public double CollectGradient()
    {
        // Every call makes an object of its own: one that is not disposed holds the gradient until it is collected.
        using var gradient = _tensor.grad;
        if (gradient is not null) _gradient.CopyFrom(gradient);
        else _gradient.Clear();
        return SquaredNorm.Compute(_gradient.Data, _gradient.Rows, _gradient.Dimension);
    }

    /// <summary>One AdamW step with the collected gradient.</summary>
    public void Update(in AdamWStep step)
    {
        var rows = Matrix.Rows;
        AdamW.Update(
            rows.Weights.Data, rows.FirstMoments.Data, rows.SecondMoments.Data, _gradient.Data, null, null, rows.Rows,
            rows.Weights.Dimension, step);
        CopyIn();
    }

    /// <summary>Overwrites the tensor with its master.</summary>
    public void CopyIn() => Matrix.Rows.Weights.CopyTo(_tensor);

    /// <summary>Forgets the gradient.</summary>
    public void ClearGradient() => _tensor.grad = null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Matrix.Rows.Dispose();
        _gradient.Dispose();
    }
}
