using Meft.Native;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Native;

public sealed class LibtorchVersionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("version.py", "from typing import Optional\n\n__version__ = '2.11.0+cu130'\ndebug = False\ncuda: Optional[str] = '13.0'\n", "2.11.0+cu130")]
    [InlineData("version.py", "__version__ = \"2.10.1\"\n", "2.10.1")]
    [InlineData("build-version", "2.10.0+cu128\n", "2.10.0+cu128")]
    public void It_is_what_stands_beside_the_libraries(string file, string text, string version)
    {
        _folder.Write(file, text);
        LibtorchVersion.Of(_folder.File("lib"), packaged: false).ShouldBe(version);
        LibtorchVersion.Of(_folder.File("lib") + Path.DirectorySeparatorChar, packaged: false).ShouldBe(version);
    }

    [Theory]
    [InlineData("version.py", "version = '2.11.0'")]
    [InlineData("build-version", "")]
    [InlineData("build-version", "not a version")]
    [InlineData("other", "2.11.0")]
    public void Where_nothing_says_it_it_is_not_guessed(string file, string text)
    {
        _folder.Write(file, text);
        LibtorchVersion.Of(_folder.File("lib"), packaged: false).ShouldStartWith("unknown");
    }

    [Fact]
    public void A_NuGet_packages_folder_names_it() =>
        LibtorchVersion.Of(_folder.File("libtorch-cuda-12.8-linux-x64/2.10.0/runtimes/linux-x64/native"), packaged: false).ShouldBe("2.10.0");

    [Fact]
    public void The_package_has_the_version_of_the_binding()
    {
        var native = NativeTorch.Load();
        Assert.SkipUnless(native.LibtorchSource == "package", "MEFT_LIBTORCH names another libtorch");
        native.LibtorchVersion.ShouldBe(TorchSharp.torch.__version__);
    }

    public void Dispose() => _folder.Dispose();
}
