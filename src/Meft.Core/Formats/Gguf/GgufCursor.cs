using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Meft.Core.Formats.Gguf;

/// <summary>Reads a mapped file from front to back and never past its end. Numbers are little-endian.</summary>
internal sealed class GgufCursor(MappedFile file)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The byte that is read next.</summary>
    public long Offset { get; private set; }

    /// <summary>The bytes not yet read.</summary>
    public long Remaining => file.Length - Offset;

    /// <summary>What is being read, a metadata key or a tensor's name, for errors.</summary>
    public string? Subject { get; set; }

    /// <summary>Reads a number.</summary>
    /// <exception cref="GgufException">The file ends before.</exception>
    public T Read<T>(string what)
        where T : unmanaged => MemoryMarshal.Read<T>(Take(Unsafe.SizeOf<T>(), what));

    /// <summary>
    /// Reads the number of things that follow, each of which takes some bytes at least; so that no more memory is set aside for
    /// them than the file's own size explains.
    /// </summary>
    /// <exception cref="GgufException">The file ends before, or cannot hold so many.</exception>
    public int ReadCount(string what, int leastBytesEach)
    {
        var at = Offset;
        var count = Read<ulong>(what);
        if (count > (ulong)(Remaining / leastBytesEach) || count > (ulong)Array.MaxLength)
            throw Failure($"{what} is {count}, more than the {Remaining} bytes that follow can hold", at);
        return (int)count;
    }

    /// <summary>Reads a string.</summary>
    /// <exception cref="GgufException">The file ends before, or this is not UTF-8.</exception>
    public string ReadString(string what)
    {
        var length = ReadCount($"the length of {what}", 1);
        var at = Offset;
        try
        {
            return StrictUtf8.GetString(Take(length, what));
        }
        catch (DecoderFallbackException e)
        {
            throw Failure($"{what} is not UTF-8", at + e.Index, cause: e);
        }
    }

    /// <summary>Reads an array of numbers.</summary>
    /// <exception cref="GgufException">The file cannot hold so many.</exception>
    public T[] ReadArray<T>(int count, string what)
        where T : unmanaged
    {
        var values = new T[count];
        var bytes = MemoryMarshal.AsBytes(values.AsSpan());
        Take(bytes.Length, what).CopyTo(bytes);
        return values;
    }

    /// <summary>An error at a byte of this file.</summary>
    public GgufException Failure(string problem, long offset, string? allowed = null, string? nextStep = null, Exception? cause = null) =>
        new(file.Path, problem, offset, Subject, allowed, nextStep, cause);

    private ReadOnlySpan<byte> Take(int length, string what)
    {
        if (length > Remaining)
            throw Failure($"the file ends within {what}, which takes {length} bytes where {Remaining} are left", Offset);
        var bytes = file.Span(Offset, length);
        Offset += length;
        return bytes;
    }
}
