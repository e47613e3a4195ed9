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

    /// <summary>How many numbers it has.</summary>
    public long Count => _tensor.numel();

    /// <summary>The type of its numbers on the device.</summary>
    public ScalarType Type => _tensor.dtype;

    /// <summary>Where the tensor is.</summary>
    public Device Device => _tensor.device;

    /// <summary>Brings the gradient to the host and returns its squared norm.</summary>
    public double CollectGradient()
    {
        // Every call makes an object of its own: one that is not disposed holds the gradient until it is collected.
        using var gradient = _tensor.grad;
        if (gradient is not null) return TakeGradient(gradient);
        _gradient.Clear();
        return 0;
    }

    /// <summary>The gradient on the device in one row, zeros where there is none; the caller's dispose scope takes it.</summary>
    public Tensor FlatGradient()
    {
        var gradient = _tensor.grad;
        return gradient is null ? zeros(Count, Type, Device) : gradient.reshape(-1);
    }

    /// <summary>Copies a gradient, on any device, to the host and returns its squared norm.</summary>
    public double TakeGradient(Tensor gradient)
    {
        _gradient.CopyFrom(gradient);
        return SquaredNorm.Compute(_gradient.Data, _gradient.Rows, _gradient.Dimension);
    }

    /// <summary>One AdamW step of the master with the collected gradient; the tensor is as it was.</summary>
    public void Update(in AdamWStep step)
    {
        var rows = Matrix.Rows;
        AdamW.Update(
            rows.Weights.Data, rows.FirstMoments.Data, rows.SecondMoments.Data, _gradient.Data, null, null, rows.Rows,
            rows.Weights.Dimension, step);
    }

    /// <summary>Writes the master into float32 numbers in host memory.</summary>
    public void WriteWeights(Tensor into) => Matrix.Rows.Weights.CopyTo(into);

    /// <summary>Overwrites the tensor with numbers on its device, in its type.</summary>
    public void TakeWeights(Tensor weights) => _tensor.copy_(weights.view(_tensor.shape));

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
