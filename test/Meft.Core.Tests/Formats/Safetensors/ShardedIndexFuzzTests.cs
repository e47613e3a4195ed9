using System.Text;
using Meft.Core.Errors;
using Meft.Core.Formats.Safetensors;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Shouldly;

namespace Meft.Core.Tests.Formats.Safetensors;

/// <summary>Indices of shards with every fault: refused, or opened with tensors of the folder's own files alone.</summary>
public sealed class ShardedIndexFuzzTests : IDisposable
{
    private const string One = "model-00001-of-00002.safetensors", Two = "model-00002-of-00002.safetensors";

    private static readonly string[] Outside =
        ["../outside.safetensors", "..", ".", "", "/dev/zero", "sub/outside.safetensors", "..\\\\outside.safetensors", "C:outside.safetensors", "a\\u0000b", "\\ud800"];

    private readonly TemporaryFolder _parent = new();
    private readonly string _folder;

    public ShardedIndexFuzzTests()
    {
        _folder = Directory.CreateDirectory(_parent.File("model")).FullName;
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        // A file with the right tensors where none may be read.
        foreach (var place in new[] { _parent.File("outside.safetensors"), Path.Combine(_folder, "sub", "outside.safetensors") })
            File.WriteAllBytes(place, Shard("a", "b", "c").Compose());
    }

    public void Dispose() => _parent.Dispose();

    [Fact]
    public void A_fault_is_refused_and_no_file_outside_is_read()
    {
        var results = StructureFuzz.Run(2000, _ => new Index(), Faults, Write, ReadEverything, e => e is SafetensorsIndexException or SafetensorsException, _folder);
        foreach (var (fault, (read, refused)) in results)
        {
            refused.ShouldBeGreaterThan(0, fault);
            read.ShouldBe(0, fault);
        }
    }

    [Fact]
    public void Changed_bytes_of_an_index()
    {
        Write(new Index());
        var path = Path.Combine(_folder, ShardedSafetensors.IndexFileName);
        ReaderFuzz.Run(path, [File.ReadAllBytes(path)], ReadEverything, e => e is InvalidInputException, _folder, cases: 1000);
    }

    private static readonly Dictionary<string, Action<Index, Random>> Faults = new()
    {
        ["a shard that is missing"] = (index, random) => index.Pick(random, "model-00003-of-00002.safetensors"),
        ["a shard outside the folder"] = (index, random) => index.Pick(random, Outside[random.Next(Outside.Length)]),
        ["a shard that is a folder"] = (index, random) => index.Pick(random, "sub"),
        ["a shard that is the index"] = (index, random) => index.Pick(random, ShardedSafetensors.IndexFileName),
        ["another shard's tensor"] = (index, random) => index.Swap(random),
        ["a tensor of no shard"] = (index, random) => index.Map.Add(("nowhere", $"\"{(random.Next(2) == 0 ? One : Two)}\"")),
        ["a tensor of no shard with a long name"] = (index, _) => index.Map.Add((new string('n', 40_000), $"\"{One}\"")),
        ["a long name of a shard"] = (index, _) => index.Map.Add(("a2", $"\"{new string('s', 40_000)}\"")),
        ["a tensor twice"] = (index, random) => index.Map.Add(index.Map[random.Next(index.Map.Count)]),
        ["no text"] = (index, random) => index.Map.Add(("d", new[] { "null", "1", "[]", "{}", "true", $"[\"{One}\"]" }[random.Next(6)])),
        ["no map"] = (index, random) => index.Text = text => new[] { "null", "[]", "{}", "{\"weight_map\":[]}", "{\"weight_map\":null}", $"[{text}]", "" }[random.Next(7)],
        ["nested too deep"] = (index, random) => index.Text = text => text[..^1] + $",\"x\":{new string('[', 5000)}{new string(']', 5000)}}}",
        ["half an index"] = (index, random) => index.Text = text => text[..random.Next(text.Length)],
        ["NUL bytes"] = (index, random) => index.Text = text => random.Next(2) == 0 ? text + "\0\0" : new string('\0', text.Length),
        ["a shard cut short"] = (index, random) => index.Shards = shard => shard[..random.Next(shard.Length)],
        ["a shard with a fault"] = (index, random) => index.Fault = (SafetensorsFaults.Wrong["data beyond the file"], random),
    };

    private static DescribedFile Shard(params string[] tensors)
    {
        var file = new DescribedFile { DataBytes = 8 * tensors.Length };
        foreach (var (name, i) in tensors.Select((name, i) => (name, i)))
            file.Tensors.Add(new DescribedTensor { Name = name, DType = "\"F32\"", Shape = ["2"], Offsets = [$"{8 * i}", $"{8 * (i + 1)}"] });
        return file;
    }

    private long Write(Index index)
    {
        var (one, two) = (Shard("a", "b"), Shard("c"));
        if (index.Fault is var (fault, random)) fault(one, random);
        var text = Encoding.UTF8.GetBytes(index.Text($"{{\"metadata\":{{\"total_size\":24}},\"weight_map\":{{{string.Join(",", index.Map.Select(m => $"\"{m.Tensor}\":{m.Shard}"))}}}}}"));
        byte[][] files = [text, index.Shards(one.Compose()), two.Compose()];
        foreach (var (name, bytes) in new[] { ShardedSafetensors.IndexFileName, One, Two }.Zip(files)) File.WriteAllBytes(Path.Combine(_folder, name), bytes);
        return files.Sum(f => (long)f.Length);
    }

    private void ReadEverything()
    {
        using var source = ShardedSafetensors.OpenFolder(_folder).ShouldBeOfType<ShardedSafetensors>();
        foreach (var shard in source.Shards) Path.GetDirectoryName(Path.GetFullPath(shard.Path)).ShouldBe(_folder);
        foreach (var (name, entry) in source.Tensors) source.ReadSingles(name).Length.ShouldBe((int)entry.ElementCount);
    }

    private sealed class Index
    {
        /// <summary>Each tensor's name, and its shard as JSON.</summary>
        public List<(string Tensor, string Shard)> Map { get; } = [("a", $"\"{One}\""), ("b", $"\"{One}\""), ("c", $"\"{Two}\"")];

        public Func<string, string> Text { get; set; } = text => text;

        public Func<byte[], byte[]> Shards { get; set; } = shard => shard;

        public (Action<DescribedFile, Random> Fault, Random Random)? Fault { get; set; }

        public void Pick(Random random, string shard)
        {
            var at = random.Next(Map.Count);
            Map[at] = (Map[at].Tensor, $"\"{shard}\"");
        }

        public void Swap(Random random)
        {
            var at = random.Next(3);
            Map[at] = (Map[at].Tensor, $"\"{(at == 2 ? One : Two)}\"");
        }
    }
}
