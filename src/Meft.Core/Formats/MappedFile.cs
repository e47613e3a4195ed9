using System.IO.MemoryMappedFiles;
using Meft.Core.Storage;

namespace Meft.Core.Formats;

/// <summary>A whole file mapped read-only into memory. Pages are read when they are touched, and shared between processes.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _pointer;
    private bool _disposed;

    private MappedFile(string path, FileStream stream)
    {
        Path = path;
        Length = stream.Length;
        // An empty file cannot be mapped; it has no byte to point at either.
        if (Length == 0) return;
        _map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        try
        {
            _view = _map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        }
        catch
        {
            _view?.Dispose();
            _map.Dispose();
            throw;
        }
        _pointer += _view.PointerOffset;
    }

    /// <summary>The path the file was opened by.</summary>
    public string Path { get; }

    /// <summary>The file's length in bytes when it was mapped.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The path is a folder, or reading is not permitted.</exception>
    public static MappedFile Open(string path)
    {
        // To open a pipe is to wait for whoever writes to it.
        if (SpecialFile.IsStream(path)) throw new IOException($"'{path}' is not a regular file");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        if (!stream.CanSeek) throw new IOException($"'{path}' is not a regular file");
        return new MappedFile(path, stream);
    }

    /// <summary>The address of a byte of the file. The caller has checked the range.</summary>
    public nint Address(long offset)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (nint)(_pointer + offset);
    }

    /// <summary>A range of the file.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within the file.</exception>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new ReadOnlySpan<byte>(_pointer + offset, length);
    }

    /// <summary>Copies a range, which the caller has checked, to memory.</summary>
    public void CopyTo(long offset, nint destination, long byteLength) =>
        Buffer.MemoryCopy((void*)Address(offset), (void*)destination, byteLength, byteLength);

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (_view is null) return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map!.Dispose();
    }
}
