using Shouldly;

namespace Meft.Core.Tests.Configuration;

public sealed class UnsupportedSettingsTests : IDisposable
{
    private readonly ConfigTestFolder _folder = new();

    [Theory]
    [InlineData("quantize: int8", "quantize", "none")]
    [InlineData("dtype: fp16", "dtype", "bf16")]
    public void What_this_version_cannot_do_is_refused_with_what_it_can(string line, string key, string allowed)
    {
        var error = _folder.ErrorWith(line);
        error.Key.ShouldBe(key);
        error.Problem.ShouldContain("not supported by this version");
        error.Allowed.ShouldNotBeNull().ShouldContain(allowed);
        error.Location.ShouldBe("config.yaml:4");
    }

    [Theory]
    [InlineData("{train: a.txt, packing: true}", "data.packing")]
    public void So_is_data_that_cannot_be_read(string data, string key)
    {
        var error = _folder.Errors($"model: m\noutput: o\ndata: {data}").ShouldHaveSingleItem();
        error.Key.ShouldBe(key);
        error.Problem.ShouldContain("not supported by this version");
    }

    public void Dispose() => _folder.Dispose();
}
