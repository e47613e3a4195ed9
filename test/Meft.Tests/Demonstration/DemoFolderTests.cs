using Meft.Core.Errors;
using Meft.Demonstration;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Demonstration;

public sealed class DemoFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Looking_writes_nothing()
    {
        var path = _folder.File("new");
        DemoFolder.At(path).Page.ShouldBe(Path.Combine(path, "report.html"));
        Directory.Exists(path).ShouldBeFalse();
    }

    [Theory]
    [InlineData("report.html")]
    [InlineData("table.md")]
    [InlineData("device.svg")]
    public void A_file_that_no_demo_wrote_is_not_replaced(string name)
    {
        File.WriteAllText(_folder.File(name), "mine");
        var error = Should.Throw<InvalidInputException>(() => DemoFolder.At(_folder.Path));
        error.Message.ShouldContain(name);
        error.Message.ShouldContain("--output");
        File.ReadAllText(_folder.File(name)).ShouldBe("mine");
    }

    [Fact]
    public void An_earlier_demo_s_folder_is_taken_again()
    {
        File.WriteAllText(_folder.File(DemoFolder.ResultFile), "{}");
        File.WriteAllText(_folder.File(DemoFolder.PageFile), "old");
        DemoFolder.At(_folder.Path).Page.ShouldBe(_folder.File(DemoFolder.PageFile));
    }

    [Fact]
    public void A_file_is_no_folder()
    {
        File.WriteAllText(_folder.File("file"), "");
        Should.Throw<InvalidInputException>(() => DemoFolder.At(_folder.File("file"))).Message.ShouldContain("a file, not a folder");
    }
}
