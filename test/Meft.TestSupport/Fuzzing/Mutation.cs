using System.Buffers.Binary;
using System.Text;
using CsCheck;

namespace Meft.TestSupport.Fuzzing;

/// <summary>What a mutation does.</summary>
public enum MutationKind
{
    FlipBit, SetByte, Truncate, Remove, Repeat, Swap, Insert, ReplaceNumber, ReplaceText, Number32, Number64, Deepen, LongLine, ToUtf16, ByteOrderMark,
}

/// <summary>One change of a file, told by numbers so that a failing case can be printed and shrunk.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="At">Where, as a share of the file.</param>
/// <param name="Count">How much, or how often.</param>
/// <param name="Choice">Which of the values that are tried.</param>
public sealed record Mutation(MutationKind Kind, double At, int Count, int Choice)
{
    /// <summary>Pieces of JSON, YAML, CSV and text that readers may stumble over.</summary>
    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "{", "}", "[", "]", ":", ",", "\"", "'", "\n", "\r", "\r\n", "\t", " ", "\0", "null", "true", "-", "- ", "? ", "&a ", "*a", "!!int ", "|\n", ">-\n",
            "%TAG ! !\n", "---\n", "...\n", "#", "<|endoftext|>", "\\", "\\u0000", "\\ud800", "\u2028", "\u0085", "\ufeff", "\U0001F600", "e\u0301", "__proto__", "\"\"",
            "[]", "{}", "[null]", "\"text\":1,", "NaN", "Infinity", "../../x", "/dev/zero",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80],
    ];

    private static readonly string[] Numbers =
    [
        "0", "-1", "1", "3", "0.5", "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854775807", "18446744073709551615", "1e30", "1e400", "-1e400",
        "123456789012345678901234567890", "0x7f", "1e-400", "00", "null", "true", "\"8\"", "[8]", "{}",
    ];

    private static readonly ulong[] Words =
        [0, 1, 2, 8, 16, 255, 65_536, int.MaxValue, uint.MaxValue, 1ul << 32, 1ul << 40, 1ul << 62, long.MaxValue, 1ul << 63, ulong.MaxValue];

    /// <summary>Any change.</summary>
    public static Gen<Mutation> Any { get; } = Gen.Select(
        Gen.Int[0, Enum.GetValues<MutationKind>().Length - 1], Gen.Double[0, 1], Gen.Int[0, 60], Gen.Int[0, 1000],
        (kind, at, count, choice) => new Mutation((MutationKind)kind, at, count, choice));

    /// <summary>The file after the change.</summary>
    public byte[] Apply(byte[] file)
    {
        var at = Math.Min(file.Length, (int)(At * file.Length));
        var end = Math.Min(file.Length, at + Count);
        return Kind switch
        {
            MutationKind.FlipBit => With(file, at, b => (byte)(b ^ (1 << (Choice % 8)))),
            MutationKind.SetByte => With(file, at, _ => (byte)Choice),
            MutationKind.Truncate => file[..at],
            MutationKind.Remove => [.. file[..at], .. file[end..]],
            MutationKind.Repeat => [.. file[..end], .. Enumerable.Repeat(file[at..end], 1 + (Choice % 3)).SelectMany(part => part), .. file[end..]],
            MutationKind.Swap => SwapFields(file, at),
            MutationKind.Insert => Put(file, at, at, Pieces[Choice % Pieces.Length]),
            MutationKind.ReplaceNumber => Replace(file, at, IsOfNumber, Encoding.UTF8.GetBytes(Numbers[Choice % Numbers.Length])),
            MutationKind.ReplaceText => Replace(file, at, IsOfWord, Pieces[Choice % Pieces.Length]),
            MutationKind.Number32 => Overwrite(file, Count % 2 == 0 ? at / 4 * 4 : at, BitConverter.GetBytes((uint)Words[Choice % Words.Length])),
            MutationKind.Number64 => Overwrite(file, Count % 2 == 0 ? at / 8 * 8 : at, LittleEndian(Words[Choice % Words.Length])),
            MutationKind.Deepen => Deepen(file, at),
            MutationKind.LongLine => Put(file, at, at, Encoding.UTF8.GetBytes(new string("a 1[\""[Choice % 5], 40_000))),
            MutationKind.ToUtf16 => (Choice % 2 == 0 ? Encoding.Unicode : Encoding.BigEndianUnicode).GetBytes("\ufeff" + Encoding.UTF8.GetString(file)),
            _ => [0xEF, 0xBB, 0xBF, .. file],
        };
    }

    private static byte[] With(byte[] file, int at, Func<byte, byte> change)
    {
        if (at == file.Length) return file;
        var copy = file.ToArray();
        copy[at] = change(copy[at]);
        return copy;
    }

    private static byte[] Put(byte[] file, int from, int to, byte[] bytes) => [.. file[..from], .. bytes, .. file[to..]];

    private static byte[] Overwrite(byte[] file, int at, byte[] bytes)
    {
        var copy = file.ToArray();
        for (var i = 0; i < bytes.Length && at + i < copy.Length; i++) copy[at + i] = bytes[i];
        return copy;
    }

    private static byte[] LittleEndian(ulong number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
        return bytes;
    }

    /// <summary>Puts something in the place of the next run of such bytes.</summary>
    private static byte[] Replace(byte[] file, int at, Func<byte, bool> isPart, byte[] bytes)
    {
        while (at < file.Length && !isPart(file[at])) at++;
        var end = at;
        while (end < file.Length && isPart(file[end])) end++;
        return Put(file, at, end, bytes);
    }

    /// <summary>Exchanges what stands between two pairs of separators.</summary>
    private byte[] SwapFields(byte[] file, int at)
    {
        List<(int From, int To)> fields = [];
        for (int from = 0, i = 0; i <= file.Length; i++)
        {
            if (i < file.Length && !",:\n"u8.Contains(file[i])) continue;
            fields.Add((from, i));
            from = i + 1;
        }
        var first = fields.FindIndex(f => f.To >= at);
        var second = Choice % fields.Count;
        if (first > second) (first, second) = (second, first);
        if (first == second) return file;
        var ((a, b), (c, d)) = (fields[first], fields[second]);
        return [.. file[..a], .. file[c..d], .. file[b..c], .. file[a..b], .. file[d..]];
    }

    private byte[] Deepen(byte[] file, int at)
    {
        var (open, close) = (Choice % 3) switch { 0 => ("[", "]"), 1 => ("{\"a\":", "}"), _ => ("- ", "") };
        var depth = Choice % 2 == 0 ? Count : 5000;
        var isClosed = Choice % 5 > 1;
        return Put(file, at, at, Encoding.UTF8.GetBytes(
            string.Concat(Enumerable.Repeat(open, depth)) + "0" + (isClosed ? string.Concat(Enumerable.Repeat(close, depth)) : "")));
    }

    private static bool IsOfNumber(byte b) => b is (>= (byte)'0' and <= (byte)'9') or (byte)'-' or (byte)'.';

    private static bool IsOfWord(byte b) => b is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (byte)'_';
}
