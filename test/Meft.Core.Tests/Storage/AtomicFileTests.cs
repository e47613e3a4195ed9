using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Storage;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_a_new_file_and_replaces_an_old_one()
    {
        var path = _folder.File("a.txt");
        AtomicFile.WriteAllText(path, "one");
        AtomicFile.WriteAllText(path, "zwei ü");
        File.ReadAllBytes(path).ShouldBe("zwei ü"u8.ToArray());
        OnlyFile().ShouldBe("a.txt");
    }

    [Fact]
    public void The_target_keeps_its_old_content_until_the_new_is_complete()
    {
        var path = _folder.Write("a", "old");
        AtomicFile.Write(path, stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            File.ReadAllText(path).ShouldBe("old");
        });
        File.ReadAllText(path).ShouldBe("new");
    }

    [Fact]
    public void A_failure_of_the_callback_comes_out_as_it_is_and_leaves_the_old_file()
    {
        var path = _folder.Write("a", "old");
        Should.Throw<OperationCanceledException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new OperationCanceledException();
        }));
        File.ReadAllText(path).ShouldBe("old");
        OnlyFile().ShouldBe("a");
    }

    [Fact]
    public void A_disk_that_fills_is_said_with_what_was_wanted_and_is_free()
    {
        const int NoSpaceLeft = 28;
        var path = _folder.Write("a", "old");
        var error = Should.Throw<DiskFullException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("No space left on device", NoSpaceLeft);
        }));
        error.File.ShouldBe(path);
        error.WantedBytes.ShouldBe(100_000);
        error.FreeBytes.ShouldNotBeNull();
        error.Message.ShouldContain("more than 100000 bytes");
        error.ExitCode.ShouldBe(1);
        File.ReadAllText(path).ShouldBe("old");
        OnlyFile().ShouldBe("a");
    }

    [Fact]
    public void The_system_word_for_a_full_disk_is_understood()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "this system has no /dev/full");
        var error = Should.Throw<DiskFullException>(() => AtomicFile.Write(
            _folder.File("a"),
            _ =>
            {
                using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                full.Write(new byte[10]);
            },
            expectedBytes: 10));
        error.WantedBytes.ShouldBe(10);
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    [Fact]
    public void A_file_larger_than_the_free_space_is_not_begun()
    {
        var error = Should.Throw<DiskFullException>(() => AtomicFile.Write(
            _folder.File("a"), _ => throw new InvalidOperationException("must not be called"), expectedBytes: long.MaxValue));
        error.WantedBytes.ShouldBe(long.MaxValue);
        error.Message.ShouldContain($"needs {long.MaxValue} bytes");
    }

    [Fact]
    public void A_folder_that_is_missing_and_a_target_that_is_a_folder_are_typed_errors()
    {
        var missing = Path.Combine(_folder.Path, "no", "file");
        Should.Throw<RunFailedException>(() => AtomicFile.WriteAllText(missing, "x")).Location.ShouldBe(missing);
        var folder = Directory.CreateDirectory(_folder.File("folder")).FullName;
        Should.Throw<RunFailedException>(() => AtomicFile.WriteAllText(folder, "x")).Location.ShouldBe(folder);
        OnlyFile().ShouldBe("folder");
    }

    [Fact]
    public void A_name_as_long_as_the_file_system_allows_is_written()
    {
        var name = new string('n', 255);
        AtomicFile.WriteAllText(_folder.File(name), "x");
        OnlyFile().ShouldBe(name);
    }

    [Fact]
    public void A_link_stays_and_what_it_leads_to_is_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right of their own there");
        var target = _folder.Write("deep/target", "old");
        var folderLink = Directory.CreateSymbolicLink(_folder.File("folder"), "deep").FullName;
        File.CreateSymbolicLink(_folder.File("deep/inner"), "../deep/target");
        var link = File.CreateSymbolicLink(_folder.File("link"), "folder/inner").FullName;
        AtomicFile.WriteAllText(link, "new");
        File.ReadAllText(target).ShouldBe("new");
        new FileInfo(link).LinkTarget.ShouldBe("folder/inner");
        new FileInfo(target).LinkTarget.ShouldBeNull();
        FinalPath.AreSame(link, Path.Combine(folderLink, "target")).ShouldBeTrue();
        FinalPath.AreSame(link, _folder.File("deep/other")).ShouldBeFalse();
        Directory.EnumerateFiles(_folder.File("deep")).Count().ShouldBe(2);
    }

    [Fact]
    public void A_link_to_a_file_that_is_not_there_makes_it_and_a_circle_of_links_is_a_typed_error()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a right of their own there");
        var link = File.CreateSymbolicLink(_folder.File("link"), "later").FullName;
        AtomicFile.WriteAllText(link, "x");
        File.ReadAllText(_folder.File("later")).ShouldBe("x");
        File.CreateSymbolicLink(_folder.File("one"), "two");
        File.CreateSymbolicLink(_folder.File("two"), "one");
        Should.Throw<RunFailedException>(() => AtomicFile.WriteAllText(_folder.File("one"), "x")).Problem.ShouldContain("circle");
    }

    [Fact]
    public async Task A_pipe_is_written_to_and_stays_a_pipe()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no pipes among files there");
        var pipe = _folder.File("pipe");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe])) await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        var reading = Task.Run(() => File.ReadAllText(pipe), TestContext.Current.CancellationToken);
        AtomicFile.WriteAllText(pipe, "through");
        (await reading).ShouldBe("through");
        OnlyFile().ShouldBe("pipe");
    }

    [Fact]
    public void A_device_behind_a_link_is_told_from_a_regular_file()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "this system has no /dev/full");
        var link = File.CreateSymbolicLink(_folder.File("link"), "/dev/full").FullName;
        using (var device = SpecialFile.Open(link)) device.ShouldNotBeNull();
        SpecialFile.Open(_folder.Write("regular", "")).ShouldBeNull();
    }

    private string OnlyFile() => Path.GetFileName(Directory.EnumerateFileSystemEntries(_folder.Path).ShouldHaveSingleItem());
}
