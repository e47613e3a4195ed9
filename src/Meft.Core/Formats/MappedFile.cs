using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Meft.Core.Storage;
using Microsoft.Win32.SafeHandles;

namespace Meft.Core.Formats;

/// <summary>A whole file mapped read-only into memory. Pages are read when they are touched, and shared between processes.</summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    /// <summary>
    /// How much the disk is asked for at once: of a wish for more than a disk reads ahead, or takes in a request, the system takes the beginning and forgets the
    /// rest. This is what Linux reads ahead by default.
    /// </summary>
    private const long WishBytes = 128 << 10;

    private const int WillNeed = 3;

    private readonly SafeFileHandle _handle;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _pointer;
    private readonly ReadAheadWindow _window;
    private bool _disposed;

    private MappedFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        Length = RandomAccess.GetLength(handle);
        _window = new ReadAheadWindow(Length);
        // An empty file cannot be mapped; it has no byte to point at either.
        if (Length == 0) return;
        _map = MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
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
        // Open as long as this is, and no lock that would keep others from replacing the file.
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return new MappedFile(path, handle);
        }
        catch (NotSupportedException e)
        {
            handle.Dispose();
            throw new IOException($"'{path}' is not a regular file", e);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
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

    /// <summary>
    /// Reads a range, which the caller has checked, into memory, past the mapping: what is read once is not worth the pages that the mapping would need for it. May be
    /// called by several threads at once.
    /// </summary>
    /// <exception cref="IOException">The file cannot be read, or has become shorter.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (destination.Length > 0)
        {
            var count = RandomAccess.Read(_handle, destination, offset);
            if (count == 0) throw new EndOfStreamException($"it has {RandomAccess.GetLength(_handle)} bytes, and had {Length} when it was opened");
            destination = destination[count..];
            offset += count;
        }
    }

    /// <summary>Reads a range, which the caller has checked, into memory of any length, as <see cref="Read"/> does.</summary>
    /// <exception cref="IOException">The file cannot be read, or has become shorter.</exception>
    public void CopyTo(long offset, nint destination, long byteLength)
    {
        const int most = 1 << 30; // more than a span holds is read in parts
        for (long done = 0; done < byteLength; done += most)
            Read(offset + done, new Span<byte>((byte*)destination + done, (int)Math.Min(most, byteLength - done)));
    }

    /// <summary>
    /// Tells the system that a range, and what lies behind it, is read next, so that it comes from the disk in large pieces and while something else is done.
    /// </summary>
    public void ReadAhead(long offset, long byteLength)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var (from, end) = _window.Next(offset, byteLength);
        if (!OperatingSystem.IsLinux() || end <= from) return;
        // Addresses of a wish are those of whole pages.
        var page = Environment.SystemPageSize;
        for (var at = from / page * page; at < end; at += WishBytes)
            _ = Advise(_pointer + at, (nuint)Math.Min(WishBytes, end - at), WillNeed);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _handle.Dispose();
        if (_view is null) return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map!.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(void* address, nuint length, int advice);
}
