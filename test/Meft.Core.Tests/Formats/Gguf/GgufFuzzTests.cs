using CsCheck;
using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Whatever is done to a valid file, it opens with every tensor readable, or is refused with a typed error.</summary>
public sealed class GgufFuzzTests : IDisposable
{
    private static readonly byte[] Valid = GgufModels.Tiny().Compose();

    private static readonly ulong[] Numbers =
        [0, 1, 2, 4, 8, 12, 13, 31, 32, 33, 255, 1 << 16, int.MaxValue, uint.MaxValue, 1ul << 32, 1ul << 62, long.MaxValue, ulong.MaxValue];

    /// <summary>One change: of a byte, of a number of 4 or 8 bytes, of the length, or a part removed or said twice.</summary>
    private static readonly Gen<Func<byte[], byte[]>> GenMutation = Gen.OneOf<Func<byte[], byte[]>>(
        Gen.Select(Gen.Int[0, Valid.Length], Gen.Byte, (at, value) => Overwrite(at, [value])),
        Gen.Select(Gen.Int[0, Valid.Length], Gen.OneOf(Numbers), (at, number) => Overwrite(at, BitConverter.GetBytes(number))),
        Gen.Select(Gen.Int[0, Valid.Length], Gen.OneOf(Numbers), (at, number) => Overwrite(at, BitConverter.GetBytes((uint)number))),
        Gen.Select(Gen.Int[0, Valid.Length], Gen.Int[0, 40], (at, count) => Replace(at, count, times: 0)),
        Gen.Select(Gen.Int[0, Valid.Length], Gen.Int[0, 40], (at, count) => Replace(at, count, times: 2)),
        Gen.Int[0, Valid.Length].Select(length => new Func<byte[], byte[]>(file => file[..Math.Min(length, file.Length)])));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_mutated_file_opens_or_is_refused()
    {
        var path = _folder.File("fuzz.gguf");
        int opened = 0, refused = 0;
        GenMutation.Array[0, 3].Sample(
            mutations =>
            {
                File.WriteAllBytes(path, mutations.Aggregate(Valid, (file, mutate) => mutate(file)));
                try
                {
                    using var file = GgufFile.Open(path);
                    foreach (var name in file.Tensors.Keys) file.ReadSingles(name);
                    using var source = GgufModelSource.Open(path);
                    foreach (var (name, entry) in source.Tensors) source.ReadSingles(name).LongLength.ShouldBe(entry.ElementCount); // by way of CopyRows
                    opened++;
                }
                catch (GgufException e)
                {
                    e.Message.Length.ShouldBeLessThan(5000);
                    refused++;
                }
            },
            iter: 3000,
            threads: 1);
        opened.ShouldBeGreaterThan(0);
        refused.ShouldBeGreaterThan(0);
    }

    private static Func<byte[], byte[]> Overwrite(int at, byte[] bytes) => file =>
    {
        var copy = file.ToArray();
        for (var i = 0; i < bytes.Length && at + i < copy.Length; i++) copy[at + i] = bytes[i];
        return copy;
    };

    private static Func<byte[], byte[]> Replace(int at, int count, int times) => file =>
    {
        at = Math.Min(at, file.Length);
        count = Math.Min(count, file.Length - at);
        return [.. file[..at], .. Enumerable.Repeat(file[at..(at + count)], times).SelectMany(part => part), .. file[(at + count)..]];
    };
}
