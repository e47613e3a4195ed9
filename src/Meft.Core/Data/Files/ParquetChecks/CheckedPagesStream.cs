namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>
/// A file whose pages were checked, for the library: where a page holds fewer values than its header says, the library goes on to whatever comes
/// next, and is stopped here. It seeks the beginnings of pages from the file's begin, and nothing else but the file's begin itself.
/// </summary>
/// <param name="inner">The file; disposed of with this.</param>
internal sealed class CheckedPagesStream(Stream inner) : Stream
{
    private HashSet<long> _pages = [];

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    /// <summary>Lets pages be read that begin at these places, and no others.</summary>
    public void Allow(IEnumerable<long> pages) => _pages = [.. pages];

    public override long Seek(long offset, SeekOrigin origin) => origin == SeekOrigin.Begin && offset != 0 && !_pages.Contains(offset)
        ? throw new InvalidDataException("a page has fewer values than it says")
        : inner.Seek(offset, origin);

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => inner.Read(buffer);

    public override int ReadByte() => inner.ReadByte();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

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
}
