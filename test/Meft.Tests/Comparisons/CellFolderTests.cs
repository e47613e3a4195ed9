using Meft.Comparisons;
using Meft.Core.Evaluation.Results;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Comparisons;

public sealed class CellFolderTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_folder_is_ones_own_until_another_claims_it_and_comes_back_whole()
    {
        var folder = _root.File("seed-0");
        CellFolder.Claim(folder, Facts("a")).ShouldBeNull();
        _root.Write("seed-0/run/metrics.jsonl", "of a");
        CellFolder.Claim(folder, Facts("a")).ShouldBeNull();
        File.ReadAllText(_root.File("seed-0/run/metrics.jsonl")).ShouldBe("of a");

        var aside = CellFolder.Claim(folder, Facts("b"));
        File.ReadAllText(Path.Combine(aside.ShouldNotBeNull(), "run/metrics.jsonl")).ShouldBe("of a");
        Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).ShouldBe(["facts.json"]);

        CellFolder.Claim(folder, Facts("a")).ShouldNotBeNull();
        File.ReadAllText(_root.File("seed-0/run/metrics.jsonl")).ShouldBe("of a");
        Directory.GetDirectories(_root.Path).Length.ShouldBe(2);
    }

    [Fact]
    public void What_nobody_owns_is_put_aside_under_names_of_its_own()
    {
        var folder = _root.File("seed-0");
        _root.Write("seed-0/one.txt", "1");
        CellFolder.Claim(folder, Facts("a")).ShouldBe($"{folder}.aside-unknown");
        Directory.Delete(folder, recursive: true);
        _root.Write("seed-0/two.txt", "2");
        CellFolder.Claim(folder, Facts("a")).ShouldBe($"{folder}.aside-unknown-2");
        File.ReadAllText(_root.File("seed-0.aside-unknown/one.txt")).ShouldBe("1");
    }

    [Fact]
    public void An_empty_folder_and_what_a_killed_process_left_of_a_write_are_in_nobodys_way()
    {
        _root.Write("seed-0/.meft-abc.tmp", "half");
        CellFolder.Claim(_root.File("seed-0"), Facts("a")).ShouldBeNull();
        Directory.GetFileSystemEntries(_root.Path).Length.ShouldBe(1);
    }

    [Fact]
    public void A_link_is_put_aside_and_what_it_leads_to_stays()
    {
        if (OperatingSystem.IsWindows()) return;
        _root.Write("elsewhere/mine.txt", "mine");
        Directory.CreateSymbolicLink(_root.File("seed-0"), _root.File("elsewhere"));
        CellFolder.Claim(_root.File("seed-0"), Facts("a")).ShouldNotBeNull();
        Directory.GetFileSystemEntries(_root.File("elsewhere")).Select(Path.GetFileName).ShouldBe(["mine.txt"]);
    }

    [Theory]
    [InlineData("adapter", true)]
    [InlineData("checkpoints", true)]
    [InlineData("failures", false)]
    public void A_trained_model_answers_other_questions_too(string holds, bool moves)
    {
        var folder = _root.File("seed-0");
        CellFolder.Claim(folder, Facts("a", "t"));
        _root.Write($"seed-0/run/{holds}/x", "1");
        var aside = CellFolder.Claim(folder, Facts("a", "u")).ShouldNotBeNull();
        File.Exists(Path.Combine(moves ? folder : aside, $"run/{holds}/x")).ShouldBeTrue();
        CellFolder.Claim(folder, Facts("b", "u"));
        Directory.Exists(Path.Combine(folder, "run")).ShouldBeFalse("another model's");
    }

    private static EvalIdentity Facts(string run, string tasks = "t") => new(new Dictionary<string, string> { ["run"] = run, ["tasks"] = tasks });
}
