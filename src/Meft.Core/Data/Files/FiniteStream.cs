namespace Meft.Core.Data.Files;

/// <summary>
/// A file that ends: whoever goes on reading there is stopped with an error. A reader of a damaged file may wait forever for bytes that the file
/// promises and does not have.
/// </summary>
/// <param name="inner">The file; disposed of with this.</param>
internal sealed class FiniteStream(Stream inner) : Stream
{
    /// <summary>Reads at the end that are answered; a reader that only looks for the end needs one or two.</summary>
    private const int MostReadsAtEnd = 100;
    private int _readsAtEnd;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override int Read(byte[] buffer, int offset, int count) => Checked(inner.Read(buffer, offset, count), count);

    public override int Read(Span<byte> buffer) => Checked(inner.Read(buffer), buffer.Length);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Checked(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false), buffer.Length);

    public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Checked(await inner.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).ConfigureAwait(false), count);

    public override void Flush()
    {
        // Nothing is written.
    }

    public override void SetLength(long value) => throw new NotSupportedException("the file is read only");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("the file is read only");

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private int Checked(int read, int wanted)
    {
        if (read > 0) _readsAtEnd = 0;
        else if (wanted > 0 && ++_readsAtEnd > MostReadsAtEnd) throw new EndOfStreamException("it ends before what it promises");
        return read;
    }
}
