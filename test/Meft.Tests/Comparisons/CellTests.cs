using Meft.Comparisons;
using Meft.Core.Configuration;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Comparisons;

public sealed class CellTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_adapter_to_start_from_counts_by_its_content_and_not_by_its_place()
    {
        foreach (var name in new[] { "one", "same" }) _folder.Write($"{name}/adapter.safetensors", "1");
        _folder.Write("other/adapter.safetensors", "2");
        var one = Facts("one");
        Facts("same").ShouldBe(one);
        Facts("other").ShouldNotBe(one);
        Facts(null).ShouldNotBe(one);
    }

    private Dictionary<string, string> Facts(string? init)
    {
        var run = new RunConfig
        {
            Model = "m",
            Output = "o",
            Data = new DataConfig { Train = [] },
            Method = new MethodConfig { Init = init is null ? null : _folder.File(init) },
        };
        return new Cell("title", "folder", run, [], false).Facts("model");
    }
}
