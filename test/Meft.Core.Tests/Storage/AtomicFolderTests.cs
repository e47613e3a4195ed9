using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Storage;

public sealed class AtomicFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_folder_appears_whole_and_its_parents_with_it()
    {
        AtomicFolder.Write(_folder.File("a/b/"), temporary =>
        {
            Directory.Exists(_folder.File("a/b")).ShouldBeFalse();
            File.WriteAllText(Path.Combine(temporary, "x"), "1");
        });
        File.ReadAllText(_folder.File("a/b/x")).ShouldBe("1");
        Directory.EnumerateFileSystemEntries(_folder.File("a")).ShouldHaveSingleItem();
    }

    [Fact]
    public void A_failure_leaves_nothing_and_comes_out_as_it_is()
    {
        Should.Throw<InvalidOperationException>(() => AtomicFolder.Write(_folder.File("a"), temporary =>
        {
            File.WriteAllText(Path.Combine(temporary, "x"), "1");
            throw new InvalidOperationException();
        }));
        Should.Throw<RunFailedException>(() => AtomicFolder.Write(_folder.File("a"), _ => throw new IOException("no room"))).Message.ShouldContain("no room");
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void An_empty_folder_is_replaced_and_anything_else_refused()
    {
        Directory.CreateDirectory(_folder.File("empty"));
        AtomicFolder.Write(_folder.File("empty"), temporary => File.WriteAllText(Path.Combine(temporary, "x"), "1"));
        Should.Throw<InvalidInputException>(() => AtomicFolder.Write(_folder.File("empty"), _ => { })).Message.ShouldContain("not empty");
        Should.Throw<InvalidInputException>(() => AtomicFolder.Write(_folder.Write("file", "x"), _ => { })).Message.ShouldContain("is a file");
        File.Exists(_folder.File("empty/x")).ShouldBeTrue();
    }

    public void Dispose() => _folder.Dispose();
}
