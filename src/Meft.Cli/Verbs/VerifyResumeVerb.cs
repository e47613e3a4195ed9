using System.CommandLine;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Meft.Core.Planning;
using Meft.Training.Runs;
using Spectre.Console;

namespace Meft.Cli.Verbs;

/// <summary><c>meft verify-resume</c>: prove on a run that resuming changes no bit.</summary>
internal sealed class VerifyResumeVerb : IVerb
{
    private readonly Argument<string> _run = new("RUN") { Description = "The output folder of a run. It is read, and nothing in it is touched." };
    private readonly Option<int?> _steps = new("--steps")
    {
        HelpName = "N",
        Description = "Take the run's first N steps at one go, and again with a stop and a resume in between, and compare. Without this, a run with two "
            + $"checkpoints is resumed from one and compared with what it saved in the next; a run without them is compared over its first {ResumeProofOptions.DefaultSteps} steps.",
    };
    private readonly Option<int?> _at = new("--at") { HelpName = "K", Description = "Stop after step K of them [the middle]." };
    private readonly Option<int?> _threads = ThreadsOption.Create("Threads that compute [as many as the run had].");
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON document." };

    public VerifyResumeVerb() => Command = new Command(
        "verify-resume", "Prove on a run that it resumes to the same bits: exit code 0 if it does, 1 if a bit differs.")
    {
        _run, _steps, _at, _threads, _json,
    };

    /// <inheritdoc/>
    public Job Job => Job.Train;

    /// <inheritdoc/>
    public Command Command { get; }

    /// <inheritdoc/>
    public string Example => "meft verify-resume runs/facts --steps 8 --at 3";

    /// <inheritdoc/>
    public int Run(ParseResult arguments, VerbContext context)
    {
        var options = new ResumeProofOptions
        {
            Steps = arguments.GetValue(_steps),
            At = arguments.GetValue(_at),
            Threads = arguments.GetValue(_threads),
        };
        var verification = new ResumeVerification(
            arguments.GetRequiredValue(_run), options, CalibrationCache.OfUser(), line => context.Status.WriteLine(line),
            LoadingView.Lines(context.Status));
        var proof = verification.Run(context.Cancellation);
        if (arguments.GetValue(_json)) context.Results.WriteLine(JsonText.Document(proof));
        else ResumeProofView.Write(context.Results, proof);
        return proof.Equal ? 0 : 1;
    }
}
