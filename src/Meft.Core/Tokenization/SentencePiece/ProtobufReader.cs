using System.Buffers.Binary;
using System.Text;

namespace Meft.Core.Tokenization.SentencePiece;

/// <summary>How a field's value is written.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    Fixed32 = 5,
}

/// <summary>
/// Reads one message in the wire format of protocol buffers, field by field and never past its end; what is wrong is told with its byte.
/// </summary>
/// <param name="file">The file, for errors.</param>
/// <param name="bytes">The whole file.</param>
/// <param name="start">Where the message begins.</param>
/// <param name="end">Where it ends.</param>
internal sealed class ProtobufReader(string file, byte[] bytes, int start, int end)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The byte that is read next.</summary>
    public int Offset { get; private set; } = start;

    /// <summary>Reads the number and type of the next field; false at the message's end.</summary>
    public bool TryReadField(out int number, out WireType type)
    {
        (number, type) = (0, WireType.Varint);
        if (Offset == end) return false;
        var at = Offset;
        var key = ReadVarint();
        (number, type) = ((int)(key >> 3), (WireType)(key & 7));
        if (key >> 3 is < 1 or > 0x1FFF_FFFF || !Enum.IsDefined(type)) throw Failure($"the field's key is {key}, which is none", at);
        return true;
    }

    /// <summary>Reads a varint.</summary>
    public ulong ReadVarint()
    {
        var at = Offset;
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (Offset == end) throw Failure("the file ends within a number", at);
            var next = bytes[Offset++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw Failure("a number has more than 64 bits", at);
    }

    /// <summary>Reads a float32.</summary>
    public float ReadSingle() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    /// <summary>Reads UTF-8 text.</summary>
    public string ReadText()
    {
        var length = ReadLength();
        var at = Offset;
        try
        {
            return StrictUtf8.GetString(Take(length));
        }
        catch (DecoderFallbackException e)
        {
            throw Failure("the text is not UTF-8", at + Math.Max(0, e.Index), e);
        }
    }

    /// <summary>Enters a message inside this one, and goes on behind it.</summary>
    public ProtobufReader ReadMessage()
    {
        var length = ReadLength();
        var inner = new ProtobufReader(file, bytes, Offset, Offset + length);
        Offset += length;
        return inner;
    }

    /// <summary>Reads bytes, and says only how many.</summary>
    public int SkipBytes()
    {
        var length = ReadLength();
        Offset += length;
        return length;
    }

    /// <summary>Goes on behind the value of a field that is of no interest.</summary>
    public void Skip(WireType type)
    {
        switch (type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Length:
                SkipBytes();
                break;
            default:
                Take(type == WireType.Fixed32 ? 4 : 8);
                break;
        }
    }

    /// <summary>Refuses a field of another type than its meaning demands.</summary>
    public void Require(WireType type, WireType wanted, string field)
    {
        if (type != wanted) throw Failure($"{field} is written as {type}, not as {wanted}", Offset);
    }

    /// <summary>An error at a byte.</summary>
    public TokenizerFileException Failure(string problem, int at, Exception? cause = null) => new($"{file}, byte {at}", problem, cause: cause);

    private int ReadLength()
    {
        var at = Offset;
        var length = ReadVarint();
        if (length > (ulong)(end - Offset)) throw Failure($"a length is {length} where {end - Offset} bytes are left", at);
        return (int)length;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > end - Offset) throw Failure($"the file ends within a value of {length} bytes", Offset);
        Offset += length;
        return bytes.AsSpan(Offset - length, length);
    }
}
