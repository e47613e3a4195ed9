using System.Buffers;
using Meft.Core.Errors;
using Meft.Kernels;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// The model in a GGUF file as Hugging Face names and orders it: blocks are decoded to float32 or bfloat16 when they are read, and
/// permuted query and key rows are put back.
/// </summary>
public sealed unsafe class GgufModelSource : ITensorSource, IBlockSource
{
    /// <summary>Bytes of the file that are read at one go.</summary>
    private const int BytesAtOnce = 1 << 16;

    /// <summary>Weights that are worth handing to another thread.</summary>
    private const int WeightsOfRange = 1 << 15;

    private readonly GgufFile _file;
    private readonly Dictionary<string, GgufTensorRows> _rows = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, TensorEntry> _entries = new(StringComparer.Ordinal);

    private GgufModelSource(GgufFile file, TensorDType dtype)
    {
        _file = file;
        DType = dtype;
        RefuseParts(file);
        Architecture = GgufArchitecture.Of(file.Metadata);
        Config = GgufModelConfig.Read(file.Metadata);
        var tensors = file.Tensors.Values.Where(t => !GgufRope.IsRopeTensor(t.Name)).OrderBy(t => t.Offset).ToList();
        Unplaced = [.. tensors.Select(t => t.Name).Where(name => GgufTensorNames.ToHuggingFace(name, Architecture) is null)];
        RequireDecodable(tensors);
        foreach (var tensor in tensors) Add(tensor);
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

    /// <inheritdoc/>
    public IReadOnlyList<string> Unplaced { get; }

    /// <summary>Opens a model.</summary>
    /// <param name="path">A .gguf file.</param>
    /// <param name="dtype">What to decode to: <see cref="TensorDType.F32"/> or <see cref="TensorDType.BF16"/>.</param>
    /// <exception cref="GgufException">
    /// The file cannot be read or is malformed, the architecture is unknown, a tensor cannot be decoded.
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

    /// <inheritdoc/>
    public string NameInFile(string name) => GgufTensorNames.FromHuggingFace(name, Architecture) ?? name;

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
        try
        {
            KernelThreads.For(checked((int)rowCount), Math.Max(1, WeightsOfRange / rows.RowWeights), ref work);
        }
        catch (IOException e)
        {
            throw _file.Unreadable(rows.Tensor, e);
        }
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
        var singles = new float[entry.ElementCount];
        fixed (float* target = singles) CopyRows(name, 0, entry.RowCount, TensorDType.F32, (nint)target);
        return singles;
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
        if (rows.Count == 0) return;
        var rowBytes = GgufFile.RowBytes(rows.Tensor, rows.RowWeights);
        var atOnce = rows.AtOnce(BytesAtOnce / rowBytes);
        _file.ReadAhead(rows.Tensor, 0, rows.Count, rows.RowWeights);
        try
        {
            for (long row = 0; row < rows.Count; row += atOnce)
            {
                var count = (int)Math.Min(atOnce, rows.Count - row);
                _file.Read(rows.Tensor, rows.RowInFile(row), rows.RowWeights, new Span<byte>((byte*)destination + row * rowBytes, count * rowBytes));
            }
        }
        catch (IOException e)
        {
            throw _file.Unreadable(rows.Tensor, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private TensorEntry Entry(string name) =>
        _entries.TryGetValue(name, out var entry) ? entry : throw new TensorNotFoundException(name, Path, _entries.Keys);

    /// <summary>Refuses tensors that cannot be decoded, all of them at once, and with them those that have no place.</summary>
    private void RequireDecodable(List<GgufTensor> tensors)
    {
        var undecodable = tensors.Where(t => !BlockDecoder.Knows(t.Type)).ToList();
        if (undecodable.Count == 0) return;
        if (undecodable.Count + Unplaced.Count == 1) _file.RequireDecodable(undecodable[0]);
        var parts = new List<string>();
        if (Unplaced.Count > 0) parts.Add($"{Unplaced.Count} tensors have no place in the architecture '{Config.Architecture}' ({TensorNames.Listed(Unplaced)})");
        foreach (var type in undecodable.GroupBy(t => t.Type))
            parts.Add($"blocks of type {type.Key.GgmlName()} cannot be decoded, in {type.Count()} tensors ({TensorNames.Listed(type.Select(t => t.Name))})");
        throw new GgufException(Path, string.Join("; ", parts), allowed: BlockDecoder.KnownNames, nextStep: "Use the model's safetensors files");
    }

    private void Add(GgufTensor tensor)
    {
        if (GgufTensorNames.ToHuggingFace(tensor.Name, Architecture) is not { } name) return;
        if (!DType.TryByteLength(tensor.Shape, out var bytes))
            throw new GgufException(Path, $"decoded to {DType.FileName()} the tensor's size overflows", tensor.Offset, tensor.Name);
        _rows.Add(name, GgufTensorRows.Create(_file, tensor, Config, Architecture));
        _entries.Add(name, new TensorEntry(name, DType, tensor.Shape, tensor.Offset, bytes));
    }

    private static void RefuseParts(GgufFile file)
    {
        const string Key = "split.count";
        if (file.Metadata.FindInteger(Key) is not (> 1 and var parts)) return;
        throw file.Metadata.Failure(Key, $"the file is one of {parts} parts of a model", "a model in one file");
    }

    /// <summary>Decodes rows; each depends on its own blocks alone.</summary>
    private readonly struct DecodingWork(GgufModelSource source, GgufTensorRows rows, long firstRow, TensorDType type, nint destination) : IRangeWork
    {
        public void Run(int from, int to)
        {
            var fileBytes = GgufFile.RowBytes(rows.Tensor, rows.RowWeights);
            var atOnce = Math.Min(to - from, rows.AtOnce(BytesAtOnce / fileBytes));
            var blocks = ArrayPool<byte>.Shared.Rent(atOnce * fileBytes);
            var decoded = ArrayPool<float>.Shared.Rent(rows.RowWeights);
            var narrow = source.DType == TensorDType.BF16 ? ArrayPool<ushort>.Shared.Rent(rows.RowWeights) : [];
            try
            {
                for (var row = from; row < to; row += atOnce)
                {
                    var count = Math.Min(atOnce, to - row);
                    source._file.Read(rows.Tensor, rows.RowInFile(firstRow + row), rows.RowWeights, blocks.AsSpan(0, count * fileBytes));
                    for (var i = 0; i < count; i++) Write(blocks.AsSpan(i * fileBytes, fileBytes), decoded.AsSpan(0, rows.RowWeights), narrow, row + i);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(blocks);
                ArrayPool<float>.Shared.Return(decoded);
                if (narrow.Length > 0) ArrayPool<ushort>.Shared.Return(narrow);
            }
        }

        /// <summary>Decodes a row and writes it where it goes; in a source of bfloat16 by way of that.</summary>
        private void Write(ReadOnlySpan<byte> blocks, Span<float> weights, Span<ushort> narrow, int row)
        {
            BlockDecoder.ToSingles(rows.Tensor.Type, blocks, weights);
            if (rows.Shift != 0)
            {
                foreach (ref var weight in weights) weight -= rows.Shift;
            }
            var target = destination + (nint)(row * ((long)rows.RowWeights * type.BitSize() / 8));
            fixed (float* single = weights)
            fixed (ushort* half = narrow)
            {
                if (source.DType == TensorDType.F32 || type == TensorDType.BF16)
                {
                    FloatCopy.CopyHere((nint)single, TensorDType.F32, target, type, rows.RowWeights);
                    return;
                }
                FloatCopy.CopyHere((nint)single, TensorDType.F32, (nint)half, TensorDType.BF16, rows.RowWeights);
                FloatCopy.CopyHere((nint)half, TensorDType.BF16, target, type, rows.RowWeights);
            }
        }
    }
}
