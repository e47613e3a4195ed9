using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Files with every fault in their metadata: refused, or opened with what stands behind the metadata as it was written.</summary>
public sealed class GgufMetadataFuzzTests : IDisposable
{
    private const uint Types = 13;

    private static readonly ulong[] Huge = [int.MaxValue, uint.MaxValue, 1ul << 32, 1ul << 40, 1ul << 61, 1ul << 62, long.MaxValue, 1ul << 63, ulong.MaxValue - 31, ulong.MaxValue];

    private static readonly uint[] NoTypes = [Types, Types + 1, 99, 1 << 8, 1 << 16, int.MaxValue, 1u << 31, uint.MaxValue];

    private static readonly byte[][] NoTexts = [[0xFF], [(byte)'a', 0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]];

    private static readonly Dictionary<string, Action<MadeMetadata, Random>> Wrong = new()
    {
        // With values that the nearest types would read.
        ["a type out of range"] = (file, random) => file.Put(random, (GgufValueType)Of(NoTypes, random), random.Next(2) == 0 ? new byte[8] : GgufBytes.Array(GgufValueType.UInt8, 1, [1])),
        ["a type of elements out of range"] = (file, random) =>
        {
            var count = random.Next(3);
            file.Put(random, GgufBytes.Array((GgufValueType)Of(NoTypes, random), (ulong)count, new byte[(random.Next(2) == 0 ? 8 : 12) * count]));
        },
        ["an array beyond the file"] = (file, random) => file.Put(random, GgufBytes.Array((GgufValueType)random.Next((int)Types), 100_000, new byte[40])),
        ["an array without end"] = (file, random) => file.Put(random, GgufBytes.Array((GgufValueType)random.Next((int)Types), Of(Huge, random), new byte[40])),
        ["an array whose last part is without end"] = (file, random) => file.Put(random, GgufBytes.Array(
            GgufValueType.Array, 2, GgufBytes.Array(GgufValueType.Int8, 1, [1]), GgufBytes.Array((GgufValueType)random.Next((int)Types), Of(Huge, random)))),
        ["a text beyond the file"] = (file, random) => file.Put(random, GgufValueType.String, [.. BitConverter.GetBytes(100_000ul), .. new byte[20]]),
        ["a text without end"] = (file, random) => file.Put(random, GgufValueType.String, [.. BitConverter.GetBytes(Of(Huge, random)), .. new byte[20]]),
        ["a text of an array without end"] = (file, random) => file.Put(
            random, GgufBytes.Array(GgufValueType.String, 2, GgufBytes.Text("a"), [.. BitConverter.GetBytes(Of(Huge, random)), .. new byte[20]])),
        ["a text that is no UTF-8"] = (file, random) => file.Put(random, GgufValueType.String, GgufBytes.Text(Of(NoTexts, random))),
        ["a text of an array that is no UTF-8"] = (file, random) => file.Put(
            random, GgufBytes.Array(GgufValueType.String, 2, GgufBytes.Text("a"), GgufBytes.Text(Of(NoTexts, random)))),
        ["a key beyond the file"] = (file, random) => file.Pick(random).KeyLength = (ulong)random.Next(50_000, 100_000),
        ["a key without end"] = (file, random) => file.Pick(random).KeyLength = Of(Huge, random),
        ["a key that is no UTF-8"] = (file, random) => file.Pick(random).Key = Of(NoTexts, random),
        ["a key twice"] = (file, random) => file.Entries.Insert(random.Next(file.Entries.Count), new MadeEntry(file.Pick(random).Key, (uint)GgufValueType.UInt8, [7])),
        ["nested too deep"] = (file, random) => file.Put(random, Nested(random.Next(2) == 0 ? 5 : random.Next(6, 200))),
        ["nested too deep, without anything"] = (file, random) => file.Put(random, Nested(random.Next(4, 200), GgufBytes.Array(GgufValueType.Array, 0))),
        ["neither true nor false"] = (file, random) => file.Put(random, GgufValueType.Boolean, [(byte)random.Next(2, 256)]),
        ["neither true nor false in an array"] = (file, random) => file.Put(random, GgufBytes.Array(GgufValueType.Boolean, 3, [1, 0, (byte)random.Next(2, 256)])),
        ["more entries than there are"] = (file, random) => file.Count = Of(Huge, random),
        ["cut short"] = (file, random) => file.Whole = whole => whole[..random.Next(whole.Length)],
    };

    private static readonly Dictionary<string, Action<MadeMetadata, Random>> Odd = new()
    {
        ["an empty key"] = (file, random) => file.Pick(random).Key = [],
        ["a long key"] = (file, random) => file.Pick(random).Key = new byte[40_000],
        ["a long text"] = (file, random) => file.Put(random, GgufValueType.String, GgufBytes.Text(new byte[40_000])),
        ["an array of empty texts"] = (file, random) => file.Put(random, GgufBytes.Array(GgufValueType.String, 2000, new byte[8 * 2000])),
        ["an array of empty arrays"] = (file, random) => file.Put(random, GgufBytes.Array(GgufValueType.Array, 2000, new byte[12 * 2000])),
        ["an empty array"] = (file, random) => file.Put(random, GgufBytes.Array((GgufValueType)random.Next((int)Types), 0)),
        ["nested as deep as may be"] = (file, random) => file.Put(random, Nested(random.Next(1, 4))),
        ["numbers that are none"] = (file, random) => file.Put(random, GgufBytes.Array(GgufValueType.Float32, 2, BitConverter.GetBytes(float.NaN), BitConverter.GetBytes(float.NegativeInfinity))),
        ["many entries"] = (file, _) => file.Entries.AddRange(Enumerable.Range(0, 2000).Select(i => new MadeEntry([.. $"{i}".Select(c => (byte)c)], (uint)GgufValueType.Int8, [1]))),
        ["no entries"] = (file, _) => file.Entries.Clear(),
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fault_is_refused()
    {
        foreach (var (fault, (read, refused)) in Run(Wrong, cases: 800))
        {
            refused.ShouldBeGreaterThan(0, fault);
            read.ShouldBe(0, fault);
        }
    }

    [Fact]
    public void An_oddity_is_read_and_what_follows_it_too()
    {
        foreach (var (odd, (read, refused)) in Run(Odd, cases: 200))
        {
            read.ShouldBeGreaterThan(0, odd);
            refused.ShouldBe(0, odd);
        }
    }

    [Fact]
    public void Faults_and_oddities_together_are_read_or_refused() => Run(Wrong.Concat(Odd).ToDictionary(StringComparer.Ordinal), cases: 1200);

    private IReadOnlyDictionary<string, (int Read, int Refused)> Run(Dictionary<string, Action<MadeMetadata, Random>> faults, int cases)
    {
        var path = _folder.File("made.gguf");
        return StructureFuzz.Run(
            cases, random => new MadeMetadata(random), faults,
            file =>
            {
                var bytes = file.Compose();
                File.WriteAllBytes(path, bytes);
                return bytes.Length;
            },
            () => MadeMetadata.Read(path), e => e is GgufException, path, bytesPerByte: 20, fixedBytes: 1 << 16);
    }

    /// <summary>An array in so many arrays.</summary>
    private static byte[] Nested(int depth, byte[]? inner = null)
    {
        var value = inner ?? GgufBytes.Array(GgufValueType.UInt8, 1, [3]);
        for (var i = 0; i < depth; i++) value = GgufBytes.Array(GgufValueType.Array, 1, value);
        return value;
    }

    private static T Of<T>(T[] values, Random random) => values[random.Next(values.Length)];
}
