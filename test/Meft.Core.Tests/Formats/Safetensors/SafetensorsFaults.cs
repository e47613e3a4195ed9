using System.Globalization;
using System.Runtime.InteropServices;

namespace Meft.Core.Tests.Formats.Safetensors;

/// <summary>What can be wrong with a safetensors file.</summary>
internal static class SafetensorsFaults
{
    private static readonly string[] Numbers =
    [
        "-1", "1.5", "1e3", "1E-2", "18446744073709551615", "18446744073709551616", "9223372036854775808", "99999999999999999999999999", "0x10", "01",
        "null", "true", "\"4\"", "[4]", "{}", "NaN", "-0",
    ];

    private static readonly string[] Values = ["null", "7", "\"x\"", "[]", "[1]", "{}", "true", "{\"a\":1}", "{\"a\":null}", "{\"a\":{\"b\":\"c\"}}", "{\"a\":\"b\",\"a\":\"c\"}"];

    private static readonly string[] Names = ["__metadata__", "", "\\u0000", "\\ud800", "\\\"", "../../x", "t\\n", "\U0001F600", new('n', 40_000)];

    /// <summary>Faults, each of which makes a file of its own wrong.</summary>
    public static IReadOnlyDictionary<string, Action<DescribedFile, Random>> Wrong { get; } = new Dictionary<string, Action<DescribedFile, Random>>
    {
        ["data overlap"] = (file, random) => Move(file, random, 0, -random.Next(1, 4)),
        ["a gap in the data"] = (file, random) => Move(file, random, 0, random.Next(1, 4)),
        ["data reversed"] = (file, random) => Pick(file, random, t => (t.Offsets[0], t.Offsets[^1]) = ($"{Number(t.Offsets[^1]) + 1}", t.Offsets[0])),
        ["data beyond the file"] = (file, random) => Move(file, random, 1, random.Next(1, 1 << 20)),
        ["offsets of 64 bits"] = (file, random) => Pick(file, random, t => (t.Offsets[0], t.Offsets[^1]) = ("18446744073709551608", "18446744073709551615")),
        ["an end of 64 bits"] = (file, random) => Pick(file, random, t => t.Offsets[^1] = random.Next(2) == 0 ? "18446744073709551615" : "9223372036854775808"),
        ["a product that overflows"] = (file, random) => Pick(file, random, t =>
            Replace(t.Shape, random.Next(3) switch { 0 => ["4294967296", "4294967296"], 1 => ["18446744073709551615", "2", "0"], _ => ["2305843009213693952", "8"] })),
        ["a strange size"] = (file, random) => Pick(file, random, t => t.Shape.Insert(random.Next(t.Shape.Count + 1), Of(Numbers, random))),
        ["a strange offset"] = (file, random) => Pick(file, random, t => t.Offsets[random.Next(t.Offsets.Count)] = Of(Numbers, random)),
        ["one offset, or three"] = (file, random) => Pick(file, random, t =>
        {
            if (t.Offsets.Count == 2 && random.Next(2) == 0) t.Offsets.RemoveAt(0);
            else t.Offsets.Add(t.Offsets[^1]);
        }),
        ["another type"] = (file, random) => Pick(file, random, t => t.DType = Of(["\"F31\"", "\"f32\"", "\"\"", "null", "7", "[\"F32\"]", $"\"{new string('F', 5000)}\""], random)),
        ["a name twice"] = (file, random) => Pick(file, random, t => file.Tensors.Add(t.Copy())),
        ["a member twice"] = (file, random) => Pick(file, random, t => t.More += Of([",\"dtype\":\"F32\"", ",\"shape\":[]", ",\"data_offsets\":[0,0]"], random)),
        ["a member is missing"] = (file, random) => Pick(file, random, t => t.Without = Of(["dtype", "shape", "data_offsets"], random)),
        ["nested too deep"] = (file, random) => Pick(file, random, t => t.More += $",\"x\":{Deep(random.Next(200, 20_000))}"),
        ["no object"] = (file, random) => file.Text = text => Of([$"[{text}]", "null", "\"a\"", "7", "[]"], random),
        ["half an object"] = (file, random) => file.Text = text => text[..random.Next(text.Length)],
        ["text behind the object"] = (file, random) => file.Padding = Of(["{}", "x", ",", "\0", "  \0\0\0"], random),
        ["only NUL bytes"] = (file, _) => file.Text = text => new string('\0', text.Length),
        ["a longer header"] = (file, random) => file.Length = length => length + (ulong)random.Next(1, 100_000),
        ["a huge header"] = (file, random) => file.Length = _ => ulong.MaxValue >> random.Next(38),
        ["a shorter header"] = (file, random) => file.Length = length => (ulong)random.NextInt64((long)length),
        ["cut short"] = (file, random) => file.Whole = whole => whole[..random.Next(whole.Length)],
        ["bytes behind the data"] = (file, random) => file.Whole = whole => [.. whole, .. new byte[random.Next(1, 20)]],
        ["no UTF-8"] = (file, random) => file.Whole = whole =>
        {
            if (whole.Length > 8) whole[8 + random.Next(Math.Max(1, whole.Length - 8 - file.DataBytes))] = 0xFF;
            return whole;
        },
    };

    /// <summary>Oddities that may be refused, or mean nothing.</summary>
    public static IReadOnlyDictionary<string, Action<DescribedFile, Random>> Odd { get; } = new Dictionary<string, Action<DescribedFile, Random>>
    {
        ["strange metadata"] = (file, random) => file.Metadata = Of(Values, random),
        ["a strange name"] = (file, random) => Pick(file, random, t => t.Name = Of(Names, random)),
        ["an unknown member"] = (file, random) => Pick(file, random, t => t.More += $",\"x\":{Of(Values, random)}"),
        ["spaces behind the object"] = (file, random) => file.Padding = new string(' ', random.Next(1, 100)),
        ["tensors in another order"] = (file, random) => random.Shuffle(CollectionsMarshal.AsSpan(file.Tensors)),
        ["a huge size where there may be none"] = (file, random) => Pick(file, random, t => t.Shape.Insert(random.Next(t.Shape.Count + 1), "9223372036854775807")),
        ["nested deep"] = (file, random) => Pick(file, random, t => t.More += $",\"x\":{Deep(random.Next(1, 120))}"),
        ["many tensors"] = (file, random) =>
        {
            for (var i = random.Next(2000); i > 0; i--)
                file.Tensors.Add(new DescribedTensor { Name = $"e{file.Tensors.Count}", DType = "\"U8\"", Shape = ["0"], Offsets = [$"{file.DataBytes}", $"{file.DataBytes}"] });
        },
    };

    private static void Pick(DescribedFile file, Random random, Action<DescribedTensor> change) => change(file.Tensors[random.Next(file.Tensors.Count)]);

    /// <summary>Changes an offset of a tensor with data, where there is one, by so many bytes; no other offset goes with it.</summary>
    private static void Move(DescribedFile file, Random random, int which, int by) => Pick(file, random, t => t.Offsets[which % t.Offsets.Count] = $"{Number(t.Offsets[which % t.Offsets.Count]) + by}");

    /// <summary>A number that an earlier fault has not replaced; else 0.</summary>
    private static long Number(string text) => long.TryParse(text, CultureInfo.InvariantCulture, out var number) && number < int.MaxValue ? number : 0;

    private static void Replace(List<string> shape, string[] sizes)
    {
        shape.Clear();
        shape.AddRange(sizes);
    }

    private static string Deep(int depth) => new string('[', depth) + new string(']', depth);

    private static string Of(string[] choices, Random random) => choices[random.Next(choices.Length)];
}
