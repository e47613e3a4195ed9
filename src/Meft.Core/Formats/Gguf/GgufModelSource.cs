using System.Buffers;
using System.Runtime.InteropServices;
using Meft.Core.Errors;
using Meft.Kernels;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// The model in a GGUF file as Hugging Face names and orders it: blocks are decoded to float32 or bfloat16 when they are read, and
/// permuted query and key rows are put back.
/// </summary>
public sealed unsafe class GgufModelSource : ITensorSource, IBlockSource
{
    private const nuint Alignment = 64;

    /// <summary>Weights that are worth handing to another thread.</summary>
    private const int WeightsOfRange = 1 << 15;

    private readonly GgufFile _file;
    private readonly Dictionary<string, GgufTensorRows> _rows = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, TensorEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, nint> _decoded = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private bool _disposed;

    private GgufModelSource(GgufFile file, TensorDType dtype)
    {
        _file = file;
        DType = dtype;
        RefuseParts(file);
        Architecture = GgufArchitecture.Of(file.Metadata);
        Config = GgufModelConfig.Read(file.Metadata);
        foreach (var tensor in file.Tensors.Values.OrderBy(t => t.Offset)) Add(tensor);
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <summary>The file.</summary>
    public GgufFile File => _file;

    internal GgufArchitecture Architecture { get; }

    /// <summary>The model's sizes.</summary>
    public GgufModelConfig Config { get; }

    /// <summary>The type to which all tensors are decoded.</summary>
    public TensorDType DType { get; }

    /// <summary>
    /// The tensors by Hugging Face name. Their type and length are those of the decoded data; their offset is that of the blocks.
    /// </summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _entries;

    /// <summary>Opens a model.</summary>
    /// <param name="path">A .gguf file.</param>
    /// <param name="dtype">What to decode to: <see cref="TensorDType.F32"/> or <see cref="TensorDType.BF16"/>.</param>
    /// <exception cref="GgufException">
    /// The file cannot be read or is malformed, the architecture is unknown, a tensor has no place in it or cannot be decoded.
    /// </exception>
    public static GgufModelSource Open(string path, TensorDType dtype = TensorDType.F32)
    {
        if (dtype is not (TensorDType.F32 or TensorDType.BF16))
            throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "F32 or BF16");
        var file = GgufFile.Open(path);
        try
        {
            return new GgufModelSource(file, dtype);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The address of a tensor's decoded data. They are decoded at the first call and kept until the source is disposed; to
    /// decode without keeping use <see cref="CopyTo"/>.
    /// </summary>
    /// <inheritdoc/>
    public nint Pointer(string name)
    {
        var entry = Entry(name);
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_decoded.TryGetValue(name, out var known)) return known;
            var memory = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(1, entry.ByteLength), Alignment);
            try
            {
                CopyTo(name, memory, entry.ByteLength);
            }
            catch
            {
                NativeMemory.AlignedFree((void*)memory);
                throw;
            }
            _decoded.Add(name, memory);
            return memory;
        }
    }

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength)
    {
        var entry = Entry(name);
        ArgumentOutOfRangeException.ThrowIfNotEqual(byteLength, entry.ByteLength);
        CopyRows(name, 0, entry.RowCount, DType, destination);
    }

    /// <inheritdoc/>
    public void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination)
    {
        var entry = Entry(name);
        entry.RequireRows(firstRow, rowCount);
        if (!FloatCopy.Knows(type)) throw new ArgumentOutOfRangeException(nameof(type), type, "F64, F32, F16 or BF16");
        if (rowCount == 0 || entry.RowLength == 0) return;
        var rows = _rows[name];
        // One dimension is one row, which may be of single numbers in another order.
        if (entry.Shape.Count < 2) (firstRow, rowCount) = (0, rows.Count);
        _file.ReadAhead(rows.Tensor, firstRow, rowCount, rows.RowWeights);
        var work = new DecodingWork(this, rows, firstRow, type, destination);
        KernelThreads.For(checked((int)rowCount), Math.Max(1, WeightsOfRange / rows.RowWeights), ref work);
        Release(rows, firstRow, rowCount);
    }

    /// <inheritdoc/>
    public float[] ReadSingles(string name)
    {
        var entry = Entry(name);
        if (entry.ElementCount > Array.MaxLength)
        {
            throw new InvalidInputException(
                $"tensor '{name}' has {entry.ElementCount} elements, too many for one array", Path, $"at most {Array.MaxLength}");
        }
        var bytes = NativeMemory.AlignedAlloc((nuint)Math.Max(1, entry.ByteLength), Alignment);
        try
        {
            CopyTo(name, (nint)bytes, entry.ByteLength);
            return SingleConversion.Read(entry, (nint)bytes, Path);
        }
        finally
        {
            NativeMemory.AlignedFree(bytes);
        }
    }

    /// <inheritdoc/>
    public GgmlType? BlocksOf(string name)
    {
        _ = Entry(name);
        var type = _rows[name].Tensor.Type;
        return BlockDecoder.FormatOf(type) is null ? null : type;
    }

    /// <inheritdoc/>
    public void CopyBlocks(string name, nint destination, long byteLength)
    {
        _ = Entry(name);
        var rows = _rows[name];
        ArgumentOutOfRangeException.ThrowIfNotEqual(byteLength, rows.Tensor.ByteLength);
        var rowBytes = rows.Count == 0 ? 0 : (int)(byteLength / rows.Count);
        if (rows.Count > 0) _file.ReadAhead(rows.Tensor, 0, rows.Count, rows.RowWeights);
        for (long row = 0; row < rows.Count; row++)
            _file.Blocks(rows.Tensor, rows.RowInFile(row), rows.RowWeights).CopyTo(new Span<byte>((byte*)destination + row * rowBytes, rowBytes));
        if (rows.Count > 0) Release(rows, 0, rows.Count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            foreach (var memory in _decoded.Values) NativeMemory.AlignedFree((void*)memory);
            _file.Dispose();
        }
    }

    private TensorEntry Entry(string name) =>
        _entries.TryGetValue(name, out var entry) ? entry : throw new TensorNotFoundException(name, Path, _entries.Keys);

    private void Decode(GgufTensorRows rows, long row, Span<float> weights)
    {
        BlockDecoder.ToSingles(rows.Tensor.Type, _file.Blocks(rows.Tensor, rows.RowInFile(row), rows.RowWeights), weights);
        if (rows.Shift == 0) return;
        for (var i = 0; i < weights.Length; i++) weights[i] -= rows.Shift;
    }

    /// <summary>Rows in another order lie all over the tensor: then the whole of it is given back.</summary>
    private void Release(GgufTensorRows rows, long firstRow, long rowCount)
    {
        var (first, count) = rows.HeadSize == 0 ? (firstRow, rowCount) : (0, rows.Count);
        _file.Release(rows.Tensor, first, count, rows.RowWeights);
    }

    private void Add(GgufTensor tensor)
    {
        if (GgufRope.IsRopeTensor(tensor.Name)) return;
        var name = GgufTensorNames.ToHuggingFace(tensor.Name, Architecture) ?? throw new GgufException(
            Path, $"the tensor has no place in the architecture '{Config.Architecture}'", tensor.Offset, tensor.Name,
            nextStep: "Use the model's safetensors files");
        _file.RequireDecodable(tensor);
        if (!DType.TryByteLength(tensor.Shape, out var bytes))
            throw new GgufException(Path, $"decoded to {DType.FileName()} the tensor's size overflows", tensor.Offset, tensor.Name);
        _rows.Add(name, GgufTensorRows.Create(_file, tensor, Config, Architecture));
        _entries.Add(name, new TensorEntry(name, DType, tensor.Shape, tensor.Offset, bytes));
    }

    private static void RefuseParts(GgufFile file)
    {
        const string Key = "split.count";
        if (!file.Metadata.Contains(Key) || file.Metadata.GetInteger(Key) is not (> 1 and var parts)) return;
        throw file.Metadata.Failure(Key, $"the file is one of {parts} parts of a model", "a model in one file");
    }

    /// <summary>Decodes rows; each depends on its own blocks alone.</summary>
    private readonly struct DecodingWork(GgufModelSource source, GgufTensorRows rows, long firstRow, TensorDType type, nint destination) : IRangeWork
    {
        public void Run(int from, int to)
        {
            var decoded = ArrayPool<float>.Shared.Rent(rows.RowWeights);
            var narrow = source.DType == TensorDType.BF16 ? ArrayPool<ushort>.Shared.Rent(rows.RowWeights) : [];
            var rowBytes = (long)rows.RowWeights * type.BitSize() / 8;
            fixed (float* single = decoded)
            fixed (ushort* half = narrow)
            {
                for (var row = from; row < to; row++)
                {
                    var target = destination + (nint)(row * rowBytes);
                    source.Decode(rows, firstRow + row, decoded.AsSpan(0, rows.RowWeights));
                    if (source.DType == TensorDType.F32 || type == TensorDType.BF16)
                    {
                        FloatCopy.CopyHere((nint)single, TensorDType.F32, target, type, rows.RowWeights);
                        continue;
                    }
                    FloatCopy.CopyHere((nint)single, TensorDType.F32, (nint)half, TensorDType.BF16, rows.RowWeights);
                    FloatCopy.CopyHere((nint)half, TensorDType.BF16, target, type, rows.RowWeights);
                }
            }
            ArrayPool<float>.Shared.Return(decoded);
            if (narrow.Length > 0) ArrayPool<ushort>.Shared.Return(narrow);
        }
    }
}
