using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

public class ConfigReferenceTests
{
    /// <summary>Set it to 1 and run this test to write the page anew.</summary>
    private const string UpdateVariable = "MEFT_UPDATE_DOCS";

    [Fact]
    public void The_committed_page_is_what_the_program_writes()
    {
        var page = Path.Combine(Repository(), "docs", "config.md");
        var expected = ConfigReference.ToMarkdown();
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") File.WriteAllText(page, expected);
        File.ReadAllText(page).ShouldBe(expected, $"docs/config.md is out of date: run this test with {UpdateVariable}=1");
    }

    [Fact]
    public void Every_key_is_described()
    {
        var page = ConfigReference.ToMarkdown();
        ConfigSchema.All.ShouldAllBe(k => page.Contains($"| `{k.Path}` |") && k.Doc.Length > 10);
        ConfigSchema.All.Select(k => k.Path).ShouldBeUnique();
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Meft.slnx"))) folder = folder.Parent.ShouldNotBeNull();
        return folder.FullName;
    }
}
