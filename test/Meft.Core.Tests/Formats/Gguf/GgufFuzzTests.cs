using Meft.Core.Formats.Gguf;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;

namespace Meft.Core.Tests.Formats.Gguf;

/// <summary>Whatever is done to a valid file, it opens with every tensor readable, or is refused with an error that names it; neither takes more memory than its size explains.</summary>
public sealed class GgufFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_changed_file_opens_or_is_refused()
    {
        var path = _folder.File("fuzz.gguf");
        ReaderFuzz.Run(path, [GgufModels.Tiny().Compose(), GgufModels.Tiny("qwen2").Compose()], () => ReadEverything(path), e => e is GgufException, path, cases: 3000, fixedBytes: 1 << 17);
    }

    private static void ReadEverything(string path)
    {
        using var file = GgufFile.Open(path);
        foreach (var name in file.Tensors.Keys) file.ReadSingles(name);
        using var source = GgufModelSource.Open(path);
        foreach (var (name, entry) in source.Tensors) // by way of CopyRows
        {
            if (source.ReadSingles(name).LongLength != entry.ElementCount) throw new InvalidOperationException($"{entry} is not whole");
        }
    }
}
