using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Files with every fault in the descriptions of their tensors and the places of their data: refused, or opened with every tensor inside the file.</summary>
public sealed class GgufStructureFuzzTests : IDisposable
{
    private static readonly GgmlType[] Types = Enum.GetValues<GgmlType>();

    private static readonly ulong[] Huge = [int.MaxValue, uint.MaxValue, 1ul << 32, 1ul << 40, 1ul << 61, 1ul << 62, long.MaxValue, 1ul << 63, ulong.MaxValue - 31, ulong.MaxValue];

    private static readonly Dictionary<string, Action<MadeFile, Random>> Wrong = new()
    {
        ["data overlap"] = (file, random) => file.Pick(random, t => t.Offset = file.Tensors[0].Offset, from: 1),
        ["data beyond the file"] = (file, random) => file.Pick(random, t => t.Offset = 1 << 20),
        ["data at a huge place"] = (file, random) => file.Pick(random, t => t.Offset = Huge[random.Next(3, Huge.Length)]),
        ["data out of line"] = (file, random) => file.Pick(random, t => t.Offset += (ulong)random.Next(1, 31)),
        ["a huge size"] = (file, random) => file.Pick(random, t => t.Shape[random.Next(t.Shape.Count)] = Huge[random.Next(Huge.Length)]),
        ["a product that overflows"] = (file, random) => file.Pick(random, t => t.Shape.AddRange([1ul << 32, 1ul << 32])),
        ["a row of half a block"] = (file, random) => file.Pick(random, t =>
        {
            t.Type = (uint)GgmlType.Q4K;
            t.Shape[0] = (ulong)random.Next(1, 256);
        }),
        ["five dimensions"] = (file, random) => file.Pick(random, t => t.Shape.AddRange([1, 1, 1, 1])),
        ["a number of dimensions"] = (file, random) => file.Pick(random, t => t.Dimensions = (uint)Huge[random.Next(2)]),
        ["an unknown type"] = (file, random) => file.Pick(random, t => t.Type = new uint[] { 4, 5, 9, 15, 31, 36, 38, 40, 1000, uint.MaxValue }[random.Next(10)]),
        ["a name twice"] = (file, _) => file.Tensors[^1].Name = file.Tensors[0].Name,
        ["a name without end"] = (file, random) => file.Pick(random, t => t.NameLength = Huge[random.Next(Huge.Length)]),
        ["a name that is no UTF-8"] = (file, random) => file.Pick(random, t => t.Name = [.. t.Name, 0xFF]),
        ["too many tensors"] = (file, random) => file.Bytes.TensorCount = Huge[random.Next(Huge.Length)],
        ["too many metadata"] = (file, random) => file.Bytes.MetadataCount = Huge[random.Next(Huge.Length)],
        ["an alignment"] = (file, random) => file.SaidAlignment = new uint[] { 0, 3, 24, 1u << 31, uint.MaxValue }[random.Next(5)],
        ["cut short"] = (file, random) => file.Whole = whole => whole[..random.Next(whole.Length)],
    };

    private static readonly Dictionary<string, Action<MadeFile, Random>> Odd = new()
    {
        ["another alignment"] = (file, random) => file.SaidAlignment = (uint)(1 << random.Next(31)),
        ["an empty tensor of a huge size"] = (file, random) => file.Pick(random, t =>
        {
            t.Shape.Clear();
            t.Shape.AddRange(random.Next(2) == 0 ? [0, 1ul << 62] : [(1ul << 62) & ~255ul, 0]);
        }),
        ["another known type"] = (file, random) => file.Pick(random, t => t.Type = (uint)Types[random.Next(Types.Length)]),
        ["a scalar"] = (file, random) => file.Pick(random, t => (t.Type, t.Dimensions, t.ShapeShown) = ((uint)GgmlType.F32, 0, 0)),
        ["a long name"] = (file, random) => file.Pick(random, t => t.Name = new byte[40_000]),
        ["fewer tensors"] = (file, random) => file.Bytes.TensorCount = (ulong)random.Next(file.Tensors.Count),
        ["bytes behind the data"] = (file, random) => file.Whole = whole => [.. whole, .. new byte[random.Next(1, 100)]],
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_fault_is_refused()
    {
        foreach (var (fault, (read, refused)) in Run(Wrong))
        {
            refused.ShouldBeGreaterThan(0, fault);
            read.ShouldBe(0, fault);
        }
    }

    [Fact]
    public void Faults_and_oddities_together_are_read_or_refused()
    {
        var results = Run(Wrong.Concat(Odd).ToDictionary(StringComparer.Ordinal));
        foreach (var odd in Odd.Keys) results[odd].Read.ShouldBeGreaterThan(0, odd);
    }

    private IReadOnlyDictionary<string, (int Read, int Refused)> Run(Dictionary<string, Action<MadeFile, Random>> faults)
    {
        var path = _folder.File("made.gguf");
        return StructureFuzz.Run(
            2500, random => new MadeFile(random), faults,
            file =>
            {
                var bytes = file.Compose();
                File.WriteAllBytes(path, bytes);
                return bytes.Length;
            },
            () => ReadEverything(path), e => e is GgufException, path);
    }

    private static void ReadEverything(string path)
    {
        using var file = GgufFile.Open(path);
        long last = 0;
        foreach (var (name, tensor) in file.Tensors.OrderBy(t => t.Value.Offset).ThenBy(t => t.Value.ByteLength))
        {
            (tensor.Offset >= last || tensor.ByteLength == 0).ShouldBeTrue($"{tensor.Name} overlaps");
            tensor.Offset.ShouldBeLessThanOrEqualTo(file.ByteLength - tensor.ByteLength);
            (tensor.Offset % Math.Min(file.Alignment, 1u << 20)).ShouldBe(0);
            (tensor.ElementCount / tensor.Type.BlockWeights() * tensor.Type.BlockBytes()).ShouldBe(tensor.ByteLength);
            last = tensor.Offset + tensor.ByteLength;
            if (BlockDecoder.Knows(tensor.Type) && tensor.RowWeights <= int.MaxValue) file.ReadSingles(name).LongLength.ShouldBe(tensor.ElementCount);
        }
    }

    /// <summary>A description whose every number can be wrong.</summary>
    private sealed class MadeTensor
    {
        public required byte[] Name { get; set; }

        /// <summary>What the file says of the name's length; null for the truth.</summary>
        public ulong? NameLength { get; set; }

        /// <summary>The sizes in the file's order.</summary>
        public required List<ulong> Shape { get; init; }

        public uint? Dimensions { get; set; }

        /// <summary>How many of the sizes are written.</summary>
        public int ShapeShown { get; set; } = int.MaxValue;

        public uint Type { get; set; }

        public ulong Offset { get; set; }

        public int Bytes { get; init; }

        public IEnumerable<byte> Compose() =>
        [
            .. BitConverter.GetBytes(NameLength ?? (ulong)Name.Length), .. Name, .. BitConverter.GetBytes(Dimensions ?? (uint)Shape.Count),
            .. Shape.Take(ShapeShown).SelectMany(BitConverter.GetBytes), .. BitConverter.GetBytes(Type), .. BitConverter.GetBytes(Offset),
        ];
    }

    /// <summary>A file of two to five tensors of any types, none of them empty.</summary>
    private sealed class MadeFile
    {
        private const int Alignment = 32;

        public MadeFile(Random random)
        {
            ulong next = 0;
            for (var i = random.Next(2, 6); i > 0; i--)
            {
                var type = Types[random.Next(Types.Length)];
                List<ulong> shape = [(ulong)(type.BlockWeights() * random.Next(1, 3)), .. Enumerable.Range(0, random.Next(3)).Select(_ => (ulong)random.Next(1, 4))];
                var bytes = (int)(shape.Aggregate(1ul, (product, size) => product * size) / (ulong)type.BlockWeights()) * type.BlockBytes();
                Tensors.Add(new MadeTensor { Name = [(byte)'t', (byte)('0' + i)], Shape = shape, Type = (uint)type, Offset = next, Bytes = bytes });
                next = (next + (ulong)bytes + Alignment - 1) / Alignment * Alignment;
            }
        }

        /// <summary>The head of the file, with the metadata.</summary>
        public GgufBytes Bytes { get; } = new GgufBytes().Set("general.architecture", "strange");

        public List<MadeTensor> Tensors { get; } = [];

        public uint? SaidAlignment { get; set; }

        public Func<byte[], byte[]> Whole { get; set; } = file => file;

        public void Pick(Random random, Action<MadeTensor> change, int from = 0) => change(Tensors[random.Next(from, Tensors.Count)]);

        public byte[] Compose()
        {
            Bytes.TensorCount ??= (ulong)Tensors.Count;
            if (SaidAlignment is { } said) Bytes.Remove("general.alignment").Set("general.alignment", said);
            List<byte> file = [.. Bytes.Compose(), .. Tensors.SelectMany(t => t.Compose())];
            while (file.Count % Alignment != 0) file.Add(0);
            foreach (var tensor in Tensors)
            {
                while (file.Count % Alignment != 0) file.Add(0);
                file.AddRange(new byte[tensor.Bytes]);
            }
            return Whole([.. file]);
        }
    }
}
