using Meft.Cli.Verbs;
using Shouldly;

namespace Meft.Cli.Tests.CommandLine;

public class HelpTextTests
{
    public static TheoryData<string> Verbs => [.. VerbList.Create().Select(v => v.Command.Name)];

    [Theory]
    [InlineData]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-?")]
    public void The_program_lists_its_verbs_under_their_jobs(params string[] args)
    {
        var run = ProgramRun.Of(args);
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        foreach (var verb in VerbList.Create()) run.Output.ShouldContain($"  {verb.Command.Name} ");
        run.Output.ShouldContain("Look inside:\n  inspect");
        run.Output.ShouldContain("The machine:\n  doctor");
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void A_verb_describes_its_options_and_ends_with_an_example(string name)
    {
        var run = ProgramRun.Of(name, "--help");
        (run.ExitCode, run.Error).ShouldBe((0, ""));
        var verb = VerbList.Create().Single(v => v.Command.Name == name);
        foreach (var option in verb.Command.Options)
        {
            option.Description.ShouldNotBeNullOrEmpty();
            run.Output.ShouldContain($"  {option.Name}");
        }
        run.Output.ShouldEndWith($"Example:\n  {verb.Example}\n");
        verb.Example.ShouldStartWith($"meft {name}");
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void An_example_is_made_of_what_the_verb_knows(string name)
    {
        // Whatever the files of an example are, its verb and options must be understood.
        var verb = VerbList.Create().Single(v => v.Command.Name == name);
        verb.Command.Parse(verb.Example.Split(' ')[2..]).Errors.ShouldBeEmpty();
    }

    [Fact]
    public void The_version_is_shown()
    {
        var run = ProgramRun.Of("--version");
        run.ExitCode.ShouldBe(0);
        Version.TryParse(run.Output.Trim(), out _).ShouldBeTrue(run.Output);
    }
}
