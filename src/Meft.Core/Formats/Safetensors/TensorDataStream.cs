namespace Meft.Core.Formats.Safetensors;

/// <summary>Takes the data of one tensor on their way into a file and refuses a byte too many.</summary>
internal sealed class TensorDataStream(Stream file, string tensor, long byteLength) : Stream
{
    private long _written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => byteLength;

    public override long Position
    {
        get => _written;
        set => throw new NotSupportedException();
    }

    /// <summary>Checks that the data are complete.</summary>
    /// <exception cref="InvalidOperationException">Bytes are missing.</exception>
    public void Complete()
    {
        if (_written != byteLength)
            throw new InvalidOperationException($"tensor '{tensor}' takes {byteLength} bytes, of which {_written} were written");
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length > byteLength - _written)
            throw new InvalidOperationException($"tensor '{tensor}' takes {byteLength} bytes, more were written");
        file.Write(buffer);
        _written += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
