using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Core.Errors;
using Shouldly;
using Spectre.Console;

namespace Meft.Cli.Tests.CommandLine;

public class MeftProgramTests
{
    [Fact]
    public void A_verb_writes_results_to_one_stream_and_remarks_to_the_other()
    {
        var run = Run(context =>
        {
            context.Results.WriteLine("result");
            context.Status.MarkupLine($"[bold red]{new string('x', 300)}[/]");
            return 0;
        });
        run.ShouldBe(new ProgramRun(0, "result\n", new string('x', 300) + "\n"));
    }

    [Fact]
    public void The_exit_code_is_the_verbs() => Run(_ => 1).ExitCode.ShouldBe(1);

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public void A_known_error_is_one_paragraph_with_its_exit_code(bool wrongInput, int exitCode)
    {
        MeftException error = wrongInput
            ? new InvalidInputException("the value is 3", "f.jsonl:7", "1 or 2", "Change it")
            : new RunFailedException("the value is 3", "f.jsonl:7", "1 or 2", "Change it");
        Run(_ => throw error).ShouldBe(new ProgramRun(exitCode, "", "error: f.jsonl:7: the value is 3. Allowed: 1 or 2. Change it.\n"));
    }

    [Fact]
    public void An_error_nobody_foresaw_is_one_paragraph_too()
    {
        var run = Run(_ => throw new InvalidDataException("line one\nline two"));
        run.ExitCode.ShouldBe(1);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("line one line two");
        run.Error.ShouldContain("--verbose");
        run.Error.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData(28, 1)]
    [InlineData(32, 0)]
    public void Standard_output_that_fails_is_an_error_unless_its_reader_has_left(int systemError, int exitCode)
    {
        foreach (var atOnce in new[] { true, false })
        {
            using var output = new FailingWriter(new IOException("No space left on device", systemError), atOnce);
            using var error = new StringWriter { NewLine = "\n" };
            var verb = new Verb(context =>
            {
                context.Results.WriteLine("result");
                return 0;
            });
            new MeftProgram([verb], new StandardStreams(output, error, ErrorIsTerminal: false)).Run(["work"], CancellationToken.None).ShouldBe(exitCode);
            if (exitCode == 0) error.ToString().ShouldBeEmpty();
            else error.ToString().ShouldStartWith("error: standard output cannot be written to: No space left on device. The result is not complete");
            error.ToString().ShouldNotContain("   at ");
        }
    }

    [Fact]
    public void An_error_of_the_verb_is_told_although_standard_output_fails_too()
    {
        using var output = new FailingWriter(new IOException("No space left on device", 28), atOnce: false);
        using var error = new StringWriter { NewLine = "\n" };
        var verb = new Verb(_ => throw new InvalidInputException("bad"));
        new MeftProgram([verb], new StandardStreams(output, error, ErrorIsTerminal: false)).Run(["work"], CancellationToken.None).ShouldBe(2);
        error.ToString().ShouldBe("error: bad.\n");
    }

    [Theory]
    [InlineData("work", "--verbose")]
    [InlineData("--verbose", "work")]
    public void Details_are_shown_where_asked(params string[] args)
    {
        var run = ProgramRun.Of([new Verb(_ => throw new RunFailedException("bad"))], args);
        run.ErrorLines[0].ShouldBe("error: bad.");
        run.Error.ShouldContain("   at ");
    }

    [Fact]
    public void A_verb_that_was_interrupted_says_so()
    {
        using var source = new CancellationTokenSource();
        var verb = new Verb(context =>
        {
            source.Cancel();
            context.Cancellation.ThrowIfCancellationRequested();
            return 0;
        });
        var run = ProgramRun.OfInterruptible([verb], ["work"], source.Token);
        run.ExitCode.ShouldBe(1);
        run.Error.ShouldBe("stopped before the work was done.\n");
    }

    [Theory]
    [InlineData("wrok", "'wrok' is no verb (did you mean work?)")]
    [InlineData("wrok --help", "'wrok' is no verb (did you mean work?)")]
    [InlineData("--halp", "'--halp' is no option (did you mean --help?)")]
    [InlineData("--version --extra", "'--extra' is no option")]
    [InlineData("@file", "'@file' is no verb")]
    [InlineData("[suggest]", "no verb is given")]
    [InlineData("work --cuont 3", "'--cuont' is no option of work (did you mean --count?)")]
    [InlineData("work --cuont=3", "'--cuont' is no option of work (did you mean --count?)")]
    [InlineData("work one two", "'two' is one argument too many")]
    [InlineData("work --count many", "--count is 'many', which is no whole number")]
    [InlineData("work --count", "--count")]
    [InlineData("need", "--name is required")]
    [InlineData("need --nmae x", "'--nmae' is no option of need (did you mean --name?)")]
    public void Wrong_arguments_are_one_paragraph_with_the_nearest(string args, string problem)
    {
        var run = ProgramRun.Of([new Verb(_ => 0), new Verb(_ => 0, needsName: true)], args.Split(' '));
        run.ExitCode.ShouldBe(2);
        run.Output.ShouldBeEmpty();
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain(problem);
        run.Error.ShouldNotContain("System.");
        run.Error.ShouldContain("--help` ");
    }

    [Fact]
    public void After_two_dashes_an_argument_may_look_like_an_option() =>
        ProgramRun.Of([new Verb(_ => 0)], ["work", "--", "--cuont"]).ShouldBe(new ProgramRun(0, "", ""));

    [Fact]
    public void A_misspelt_required_option_is_named_once() =>
        ProgramRun.Of([new Verb(_ => 0, needsName: true)], ["need", "--nmae", "x"]).Error.ShouldNotContain("required");

    private static ProgramRun Run(Func<VerbContext, int> work) => ProgramRun.Of([new Verb(work)], ["work"]);

    /// <summary>Fails at once, or, as a buffer does, when it is flushed.</summary>
    private sealed class FailingWriter(IOException failure, bool atOnce) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            if (atOnce) throw failure;
        }

        public override void Flush() => throw failure;
    }

    private sealed class Verb : IVerb
    {
        private readonly Func<VerbContext, int> _work;

        public Verb(Func<VerbContext, int> work, bool needsName = false)
        {
            _work = work;
            Command = needsName
                ? new Command("need", "Needs a name.") { new Option<string>("--name") { Required = true } }
                : new Command("work", "Works.") { new Option<int>("--count"), new Argument<string?>("THING") { Arity = ArgumentArity.ZeroOrOne } };
        }

        public Job Job => Job.Use;

        public Command Command { get; }

        public string Example => "meft work --count 3";

        public int Run(ParseResult arguments, VerbContext context) => _work(context);
    }
}
