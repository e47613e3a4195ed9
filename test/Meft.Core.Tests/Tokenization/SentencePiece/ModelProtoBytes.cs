using System.Text;
using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tests.Tokenization.SentencePiece;

/// <summary>Composes SentencePiece files: the wire format of protocol buffers, written by hand.</summary>
internal sealed class ModelProtoBytes
{
    private readonly List<byte[]> _pieces = [];
    private readonly List<byte[]> _trainer = [];
    private readonly List<byte[]> _normalizer = [];

    public ModelProtoBytes Piece(string text, float score = 0, PieceKind kind = PieceKind.Normal)
    {
        _pieces.Add(Message(1, [.. Text(1, text), .. Single(2, score), .. kind == PieceKind.Normal ? [] : Number(3, (ulong)kind)]));
        return this;
    }

    /// <summary>A setting of the trainer: 3 is the model's type, 35 byte fallback, 41 and 42 are the ids of beginning and end.</summary>
    public ModelProtoBytes Trainer(int field, long value)
    {
        _trainer.Add(Number(field, (ulong)value));
        return this;
    }

    /// <summary>A setting of the normalizer: 3 is the dummy prefix, 4 the removal of extra spaces, 5 the escaping of spaces.</summary>
    public ModelProtoBytes Normalizer(int field, long value)
    {
        _normalizer.Add(Number(field, (ulong)value));
        return this;
    }

    public ModelProtoBytes CharacterMap(string name, byte[] map)
    {
        _normalizer.Add([.. Text(1, name), .. Message(2, map)]);
        return this;
    }

    public byte[] Compose() =>
        [.. _pieces.SelectMany(p => p), .. Message(2, [.. _trainer.SelectMany(f => f)]), .. Message(3, [.. _normalizer.SelectMany(f => f)])];

    public static byte[] Message(int field, byte[] content) => [.. Key(field, 2), .. Varint((ulong)content.Length), .. content];

    public static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    public static byte[] Number(int field, ulong value) => [.. Key(field, 0), .. Varint(value)];

    public static byte[] Single(int field, float value) => [.. Key(field, 5), .. BitConverter.GetBytes(value)];

    private static byte[] Key(int field, int type) => Varint((ulong)((field << 3) | type));

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
