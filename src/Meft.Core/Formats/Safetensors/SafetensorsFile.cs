using System.Buffers;
using Meft.Core.Errors;
using Meft.Kernels;

namespace Meft.Core.Formats.Safetensors;

/// <summary>A safetensors file, mapped read-only into memory and checked before the first tensor is given out.</summary>
public sealed class SafetensorsFile : ITensorSource
{
    private readonly MappedFile _file;
    private readonly SafetensorsHeader _header;

    private SafetensorsFile(MappedFile file, SafetensorsHeader header)
    {
        _file = file;
        _header = header;
    }

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <summary>The file's length in bytes.</summary>
    public long ByteLength => _file.Length;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _header.Tensors;

    /// <summary>The file's own words about itself (<c>__metadata__</c>); empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file.</summary>
    /// <exception cref="SafetensorsException">The file cannot be read or is malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = Map(path);
        try
        {
            return new SafetensorsFile(file, SafetensorsHeader.Read(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength)
    {
        var entry = Entry(name);
        ArgumentOutOfRangeException.ThrowIfNotEqual(byteLength, entry.ByteLength);
        _file.ReadAhead(entry.Offset, byteLength);
        Reading(name, () => _file.CopyTo(entry.Offset, destination, byteLength));
    }

    /// <inheritdoc/>
    public void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination)
    {
        var entry = Entry(name);
        entry.RequireRows(firstRow, rowCount);
        if (!FloatCopy.Knows(type)) throw new ArgumentOutOfRangeException(nameof(type), type, "F64, F32, F16 or BF16");
        if (!FloatCopy.Knows(entry.DType)) throw new ArgumentOutOfRangeException(nameof(name), entry.DType, $"'{name}' holds no numbers of a float type");
        var row = entry.RowLength * entry.DType.BitSize() / 8;
        long start = entry.Offset + firstRow * row, length = rowCount * row;
        if (length == 0) return;
        _file.ReadAhead(start, length);
        var work = new ReadingWork(_file, start, entry.DType, destination, type, rowCount * entry.RowLength);
        Reading(name, () => KernelThreads.For(work.RangeCount, grain: 1, ref work));
    }

    /// <inheritdoc/>
    public unsafe float[] ReadSingles(string name)
    {
        var entry = Entry(name);
        if (!FloatCopy.Knows(entry.DType))
            throw new InvalidInputException($"tensor '{name}' has type {entry.DType.FileName()}, which cannot be read as float32", Path, "F32, F16, BF16, F64");
        if (entry.ElementCount > Array.MaxLength)
            throw new InvalidInputException($"tensor '{name}' has {entry.ElementCount} elements, too many for one array", Path, $"at most {Array.MaxLength}");
        var singles = GC.AllocateUninitializedArray<float>((int)entry.ElementCount);
        fixed (float* address = singles) CopyRows(name, 0, entry.RowCount, TensorDType.F32, (nint)address);
        return singles;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Reading(string name, Action read)
    {
        try
        {
            read();
        }
        catch (IOException e)
        {
            throw new SafetensorsException(Path, SafetensorsError.IoError, $"the file cannot be read: {e.Message}", name, cause: e);
        }
    }

    private TensorEntry Entry(string name) =>
        Tensors.TryGetValue(name, out var entry) ? entry : throw new TensorNotFoundException(name, Path, Tensors.Keys);

    private static MappedFile Map(string path)
    {
        try
        {
            return MappedFile.Open(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SafetensorsException(path, SafetensorsError.IoError, "there is no such file", cause: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new SafetensorsException(path, SafetensorsError.IoError, $"the file cannot be read: {e.Message}", cause: e);
        }
    }

    /// <summary>Reads numbers of the file: straight to where they go, or through a buffer that stays in the caches where they are converted.</summary>
    private readonly unsafe struct ReadingWork(MappedFile file, long offset, TensorDType from, nint destination, TensorDType to, long count) : IRangeWork
    {
        private const int NumbersOfRange = 1 << 15;

        public int RangeCount => checked((int)((count + NumbersOfRange - 1) / NumbersOfRange));

        public void Run(int first, int end)
        {
            int read = from.BitSize() / 8, written = to.BitSize() / 8;
            var buffer = from == to ? [] : ArrayPool<byte>.Shared.Rent(NumbersOfRange * read);
            try
            {
                for (var range = first; range < end; range++)
                {
                    var start = (long)range * NumbersOfRange;
                    var numbers = (int)Math.Min(NumbersOfRange, count - start);
                    var target = destination + (nint)(start * written);
                    if (from == to)
                    {
                        file.Read(offset + start * read, new Span<byte>((void*)target, numbers * read));
                        continue;
                    }
                    file.Read(offset + start * read, buffer.AsSpan(0, numbers * read));
                    fixed (byte* source = buffer) FloatCopy.CopyHere((nint)source, from, target, to, numbers);
                }
            }
            finally
            {
                if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
