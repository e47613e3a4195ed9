using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Kernels;
using Meft.Kernels.Quantization;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models;

/// <summary>
/// Fills the tensors of a model from a checkpoint. Numbers go from the file into the tensor they are for, converted on the way, some rows at a time; only for
/// another device, and for what is quantised, they wait between in buffers of <see cref="PieceBytes"/> at most, or of one row where that is longer.
/// </summary>
/// <param name="source">The checkpoint.</param>
/// <param name="type">The type that plain weights are held in; what is quantised are numbers of this type.</param>
internal sealed unsafe class WeightReader(ITensorSource source, ScalarType type) : IDisposable
{
    /// <summary>The most bytes that are read between two reports of progress, and that wait in a buffer.</summary>
    public const long PieceBytes = 4 << 20;

    private readonly TensorDType _type = TensorSourceExtensions.StoredTypeOf(type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, null);
    private readonly Dictionary<ScalarType, Tensor> _buffers = [];

    /// <summary>Reads a weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="tensor">Its tensor, contiguous, on any device.</param>
    /// <exception cref="InvalidInputException">It is to be quantised and not finite, or not finite in float16.</exception>
    public void Read(HeldWeight weight, Tensor tensor)
    {
        var inHost = tensor.device_type == TorchSharp.DeviceType.CPU;
        if (weight.Blocks is { } layout)
        {
            using var elsewhere = inHost ? null : empty(layout.ByteCount, ScalarType.Byte, CPU);
            var address = (nint)TensorMemory.Pointer(elsewhere ?? tensor);
            if (layout.Format is BlockFormat.Int8 or BlockFormat.Nf4) Quantize(weight.Spec.Name, new BlockMatrix(layout, address));
            else ReadBlocks(weight.Spec.Name, address, layout.ByteCount);
            if (elsewhere is not null) tensor.copy_(elsewhere);
        }
        else if (inHost)
        {
            ReadInto(weight.Spec.Name, (nint)TensorMemory.Pointer(tensor));
        }
        else
        {
            ReadBy(weight.Spec.Name, tensor);
        }
    }

    /// <summary>Reads a plain weight through a buffer, as one on another device is read.</summary>
    internal void ReadBy(string name, Tensor tensor)
    {
        using var flat = tensor.view(-1);
        ForEachPiece(name, TensorMemory.ElementBytes(type), (row, rows, length) =>
        {
            using var numbers = Buffer(type, rows * length).narrow(0, 0, rows * length);
            CopyRows(name, row, rows, (nint)TensorMemory.Pointer(numbers));
            using var target = flat.narrow(0, row * length, rows * length);
            target.copy_(numbers);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _buffers.Values) buffer.Dispose();
    }

    private void ReadInto(string name, nint address)
    {
        var width = TensorMemory.ElementBytes(type);
        ForEachPiece(name, width, (row, rows, length) => CopyRows(name, row, rows, address + (nint)(row * length * width)));
    }

    /// <summary>Reads blocks as they are. Whether float16 holds what they decode to is known only by decoding them.</summary>
    private void ReadBlocks(string name, nint address, long byteCount)
    {
        ((IBlockSource)source).CopyBlocks(name, address, byteCount);
        if (_type != TensorDType.F16) return;
        ForEachPiece(name, sizeof(ushort), (row, rows, length) => CopyRows(name, row, rows, (nint)TensorMemory.Pointer(Buffer(type, rows * length))));
    }

    /// <summary>Reads rows as numbers of the model's type. Of those that others are stored in, float16 alone cannot hold all that is found in models.</summary>
    private void CopyRows(string name, long row, long rows, nint address)
    {
        source.CopyRows(name, row, rows, _type, address);
        var entry = source.Tensors[name];
        if (_type != TensorDType.F16 || entry.DType == TensorDType.F16 || Finite.AllHalves((ushort*)address, rows * entry.RowLength)) return;
        throw new InvalidInputException(
            $"tensor '{name}' holds numbers that float16 cannot (its largest is 65,504; they are stored as {entry.DType.FileName()})", source.Path,
            "weights within float16's range", "choose dtype: bf16 or fp32");
    }

    private void Quantize(string name, BlockMatrix matrix)
    {
        var largest = new float[matrix.Layout.Blocks];
        // Where the numbers lose nothing on their way to the model's type, they need not take it.
        var exact = type == ScalarType.Float32 || source.Tensors[name].DType == _type;
        ForEachPiece(name, sizeof(float), (row, rows, length) =>
        {
            var single = Buffer(ScalarType.Float32, rows * length);
            var address = (nint)TensorMemory.Pointer(single);
            if (exact)
            {
                source.CopyRows(name, row, rows, TensorDType.F32, address);
            }
            else
            {
                var rounded = (nint)TensorMemory.Pointer(Buffer(type, rows * length));
                CopyRows(name, row, rows, rounded);
                FloatCopy.Copy(rounded, _type, address, TensorDType.F32, rows * length);
            }
            BlockQuantizer.QuantizeRows((float*)address, checked((int)row), checked((int)rows), matrix, largest);
        });
        if (BlockQuantizer.Finish(matrix, largest)) return;
        throw new InvalidInputException(
            $"tensor '{name}' holds numbers that are not finite, which cannot be quantised", source.Path, "finite weights",
            "get the model anew, or load it without quantize");
    }

    /// <summary>Calls back with the first row, the number of rows and the length of a row, for all rows of a tensor in turn.</summary>
    private void ForEachPiece(string name, int width, Action<long, long, long> read)
    {
        var entry = source.Tensors[name];
        if (entry.ElementCount == 0) return;
        var most = Math.Max(1, PieceBytes / (entry.RowLength * width));
        for (long row = 0; row < entry.RowCount; row += most) read(row, Math.Min(most, entry.RowCount - row), entry.RowLength);
    }

    /// <summary>A buffer, made at its first use and made larger where it does not suffice.</summary>
    private Tensor Buffer(ScalarType of, long numbers)
    {
        if (_buffers.TryGetValue(of, out var buffer))
        {
            if (buffer.numel() >= numbers) return buffer;
            buffer.Dispose();
        }
        return _buffers[of] = empty(numbers, of, CPU).DetachFromDisposeScope();
    }
}
