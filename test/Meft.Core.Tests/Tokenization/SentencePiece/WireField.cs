using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tests.Tokenization.SentencePiece;

/// <summary>A field in the wire format of protocol buffers whose every byte can be wrong.</summary>
internal sealed class WireField
{
    public required int Number { get; set; }

    /// <summary>0 varint, 1 eight bytes, 2 bytes with their length, 5 four bytes; others are none.</summary>
    public required int Type { get; set; }

    /// <summary>What stands behind the key, and the length where there is one; unused where there are parts.</summary>
    public byte[] Value { get; set; } = [];

    /// <summary>The fields of a message; null for anything else.</summary>
    public List<WireField>? Parts { get; set; }

    /// <summary>Stands in the place of number and type; null for the truth.</summary>
    public byte[]? Key { get; set; }

    /// <summary>Makes another length of the true one.</summary>
    public Func<int, byte[]> Length { get; set; } = length => Varint((ulong)length);

    public static WireField Text(int number, byte[] utf8) => new() { Number = number, Type = 2, Value = utf8 };

    public static WireField Of(int number, ulong value) => new() { Number = number, Type = 0, Value = Varint(value) };

    public static WireField Of(int number, float value) => new() { Number = number, Type = 5, Value = BitConverter.GetBytes(value) };

    /// <summary>Takes a message apart.</summary>
    /// <param name="message">A valid one.</param>
    /// <param name="isMessage">Whether the field of a number is a message in its turn.</param>
    public static List<WireField> Parse(byte[] message, Func<int, bool>? isMessage = null)
    {
        List<WireField> fields = [];
        var reader = new ProtobufReader("valid", message, 0, message.Length);
        while (reader.TryReadField(out var number, out var type))
        {
            var from = reader.Offset;
            var length = 0;
            if (type == WireType.Length) length = reader.SkipBytes();
            else reader.Skip(type);
            var value = message[(type == WireType.Length ? reader.Offset - length : from)..reader.Offset];
            var isInner = type == WireType.Length && isMessage is not null && isMessage(number);
            fields.Add(new WireField { Number = number, Type = (int)type, Value = value, Parts = isInner ? Parse(value) : null });
        }
        return fields;
    }

    /// <summary>The same, to be changed apart.</summary>
    public WireField Copy() => new() { Number = Number, Type = Type, Value = Value, Key = Key, Length = Length, Parts = Parts?.ConvertAll(part => part.Copy()) };

    /// <summary>Puts a field in the place of those of its number in this message.</summary>
    public WireField Set(WireField field)
    {
        Parts!.RemoveAll(f => f.Number == field.Number);
        Parts.Add(field);
        return this;
    }

    /// <summary>The field of a number in this message, made where there is none.</summary>
    public WireField First(int number)
    {
        if (Parts!.Find(f => f.Number == number) is { } found) return found;
        Parts.Add(Of(number, 0ul));
        return Parts[^1];
    }

    public byte[] Compose()
    {
        var value = Parts is null ? Value : [.. Parts.SelectMany(part => part.Compose())];
        return [.. Key ?? Varint(((ulong)Number << 3) | (uint)Type), .. Type == 2 ? Length(value.Length) : [], .. value];
    }

    /// <summary>A number in seven bits a byte.</summary>
    /// <param name="value">The number.</param>
    /// <param name="bytes">How many bytes at least; what is more than needed holds zeros.</param>
    public static byte[] Varint(ulong value, int bytes = 1)
    {
        List<byte> written = [];
        for (; value >= 0x80 || written.Count < bytes - 1; value >>= 7) written.Add((byte)(value | 0x80));
        return [.. written, (byte)value];
    }
}
