using Shouldly;

namespace Meft.Core.Tests.Configuration;

public sealed class UnsupportedSettingsTests : IDisposable
{
    private readonly ConfigTestFolder _folder = new();

    [Theory]
    [InlineData("dtype: fp16", "dtype", "bf16")]
    public void What_this_version_cannot_do_is_refused_with_what_it_can(string line, string key, string allowed)
    {
        var error = _folder.ErrorWith(line);
        error.Key.ShouldBe(key);
        error.Problem.ShouldContain("not supported by this version");
        error.Allowed.ShouldNotBeNull().ShouldContain(allowed);
        error.Location.ShouldBe("config.yaml:4");
    }

    public void Dispose() => _folder.Dispose();
}
