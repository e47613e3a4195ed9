using Meft.Cli.CommandLine;

namespace Meft.Cli.Verbs;

/// <summary>Every verb that is built, in the order of the help.</summary>
internal static class VerbList
{
    /// <summary>New verbs, one of each.</summary>
    public static IReadOnlyList<IVerb> Create() =>
    [
        new DemoVerb(), new TrainVerb(), new PlanVerb(), new VerifyResumeVerb(), new GenerateVerb(), new ChatVerb(), new ScoreVerb(), new EvalVerb(), new CompareVerb(),
        new MergeVerb(), new InspectVerb(), new TokenizeVerb(), new DoctorVerb(), new BenchVerb(),
    ];
}
