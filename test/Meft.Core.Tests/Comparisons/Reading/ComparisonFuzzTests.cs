using System.Text;
using Meft.Core.Comparisons.Reading;
using Meft.Core.Configuration;
using Meft.TestSupport.Fuzzing;

namespace Meft.Core.Tests.Comparisons.Reading;

/// <summary>Configs of comparisons changed in every way.</summary>
public sealed class ComparisonFuzzTests : IDisposable
{
    private readonly ComparisonTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_changed_comparison_is_read_or_refused()
    {
        var path = _folder.ConfigPath;
        byte[][] valid = [.. new[] { ComparisonTestFolder.Minimal, ComparisonTestFolder.Full }.Select(Encoding.UTF8.GetBytes)];
        // Every method's run is built apart, and task files are read.
        ReaderFuzz.Run(
            path, valid, () => ComparisonFile.Load(path, []), e => e is ConfigException, path, cases: 300, bytesPerByte: 6000, fixedBytes: 16 << 20);
    }
}
