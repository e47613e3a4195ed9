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
    public nint Pointer(string name) => _file.Address(Entry(name).Offset);

    /// <inheritdoc/>
    public void CopyTo(string name, nint destination, long byteLength)
    {
        var entry = Entry(name);
        ArgumentOutOfRangeException.ThrowIfNotEqual(byteLength, entry.ByteLength);
        _file.CopyTo(entry.Offset, destination, byteLength);
    }

    /// <inheritdoc/>
    public void CopyRows(string name, long firstRow, long rowCount, TensorDType type, nint destination)
    {
        var entry = Entry(name);
        entry.RequireRows(firstRow, rowCount);
        if (!FloatCopy.Knows(entry.DType)) throw new ArgumentOutOfRangeException(nameof(name), entry.DType, $"'{name}' holds no numbers of a float type");
        var row = entry.RowLength * entry.DType.BitSize() / 8;
        long start = entry.Offset + firstRow * row, length = rowCount * row;
        if (length == 0) return;
        _file.ReadAhead(start, length);
        FloatCopy.Copy(_file.Address(start), entry.DType, destination, type, rowCount * entry.RowLength);
        _file.Release(start, length);
    }

    /// <inheritdoc/>
    public float[] ReadSingles(string name) => SingleConversion.Read(Entry(name), Pointer(name), Path);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

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
}
