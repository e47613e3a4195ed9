using System.Text;

namespace Meft.Core.Tokenization;

/// <summary>
/// The alphabet of byte-level tokenizers (GPT-2): 256 visible characters, one a byte. Printable Latin-1 stands for itself; the other 68
/// bytes are U+0100, U+0101 … in their order, so that a space is spelt <c>Ġ</c>.
/// </summary>
internal static class ByteAlphabet
{
    private const int NoByte = -1;
    private static readonly char[] CharOfByte = BuildAlphabet();
    private static readonly short[] ByteOfChar = Invert(CharOfByte);

    /// <summary>The characters, at the place of the byte they stand for.</summary>
    public static ReadOnlySpan<char> Characters => CharOfByte;

    /// <summary>Spells the UTF-8 bytes of a text.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        var bytes = text.Length <= 256 ? stackalloc byte[text.Length * 3] : new byte[Encoding.UTF8.GetByteCount(text)];
        bytes = bytes[..Encoding.UTF8.GetBytes(text, bytes)];
        return string.Create(bytes.Length, bytes, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++) target[i] = CharOfByte[source[i]];
        });
    }

    /// <summary>The bytes that a token spells; the token's own UTF-8 bytes where it holds a character of no byte.</summary>
    public static byte[] Bytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            var value = token[i] < ByteOfChar.Length ? ByteOfChar[token[i]] : NoByte;
            if (value == NoByte) return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static char[] BuildAlphabet()
    {
        var alphabet = new char[256];
        var next = 0x100;
        for (var value = 0; value < 256; value++)
        {
            var isPrintable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            alphabet[value] = isPrintable ? (char)value : (char)next++;
        }
        return alphabet;
    }

    private static short[] Invert(char[] alphabet)
    {
        var inverse = new short[alphabet.Max() + 1];
        Array.Fill(inverse, (short)NoByte);
        for (var value = 0; value < alphabet.Length; value++) inverse[alphabet[value]] = (short)value;
        return inverse;
    }
}
