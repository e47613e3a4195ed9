using Meft.Core.Storage;
using Meft.Training.Runs.Checkpoints;

namespace Meft.Tests.Training.Runs;

/// <summary>The process ended here.</summary>
internal sealed class CrashException : Exception;

/// <summary>A disk that can be full, read-only, slow, or the last thing a process does.</summary>
internal sealed class TestDisk : ICheckpointDisk
{
    private const int NoSpaceLeft = 28;
    private readonly CheckpointDisk _disk = new();
    private int _operationsLeft = int.MaxValue;
    private bool _crashed;

    /// <summary>What the disk says is free; null for what really is.</summary>
    public long? Free { get; set; }

    /// <summary>After so many bytes of a file the disk is full, whatever it said.</summary>
    public long FullAfter { get; set; } = long.MaxValue;

    /// <summary>Whether nothing can be written.</summary>
    public bool ReadOnly { get; set; }

    /// <summary>Called before a file is written; a slow disk waits in it.</summary>
    public Action<string>? Writing { get; set; }

    /// <summary>The process ends with the operation of this number, counted from 0, and does nothing more.</summary>
    public void CrashAt(int operation) => _operationsLeft = operation;

    public long? FreeBytes(string folder) => Free ?? _disk.FreeBytes(folder);

    public void CreateFolder(string folder)
    {
        Count();
        if (ReadOnly) throw new UnauthorizedAccessException($"Access to the path '{folder}' is denied.");
        _disk.CreateFolder(folder);
    }

    public void Write(string path, long bytes, Action<Stream> write)
    {
        if (_operationsLeft == 0 && !_crashed)
        {
            // Half a file under its temporary name, as a killed process leaves it.
            File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(path)!, ".meft-half.tmp"), new byte[bytes / 2]);
        }
        Count();
        Writing?.Invoke(path);
        AtomicFile.Write(path, file => write(new Limited(file, FullAfter)));
    }

    public void Flush(string folder)
    {
        Count();
        _disk.Flush(folder);
    }

    public void RemoveFile(string path)
    {
        Count();
        if (ReadOnly) throw new UnauthorizedAccessException($"Access to the path '{path}' is denied.");
        _disk.RemoveFile(path);
    }

    public void RemoveFolder(string folder)
    {
        Count();
        _disk.RemoveFolder(folder);
    }

    private void Count()
    {
        if (_crashed || _operationsLeft-- == 0)
        {
            _crashed = true;
            throw new CrashException();
        }
    }

    private sealed class Limited(Stream file, long bytes) : Stream
    {
        private long _left = bytes;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => file.Length;

        public override long Position
        {
            get => file.Position;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.Length > _left) throw new IOException("No space left on device", NoSpaceLeft);
            _left -= buffer.Length;
            file.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => file.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
