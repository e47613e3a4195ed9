using Meft.Core.Comparisons;
using Meft.Core.Configuration;
using Meft.Core.Errors;

namespace Meft.Comparisons;

/// <summary>What all methods of a comparison must have in common: the base, and the same rows in the same order, as many at a time and as often.</summary>
internal static class FairMethods
{
    private static readonly IReadOnlyList<(string Key, Func<RunConfig, object?> Get)> Common =
    [
        ("model", run => run.Model),
        ("data", run => run.Data),
        ("batch", run => run.Batch),
        ("epochs", run => run.Epochs),
        ("max_steps", run => run.MaxSteps),
        ("evaluate.patience", run => run.Evaluate.Patience),
        ("evaluate.keep_best", run => run.Evaluate.KeepBest),
    ];

    /// <summary>Refuses methods that would not be trained alike.</summary>
    /// <exception cref="InvalidInputException">Two methods differ in what they must share.</exception>
    public static void Require(ComparisonConfig config)
    {
        // Rows that are made of a task are everybody's, whatever the runs name in their place.
        RunConfig Shared(ComparedMethod method) => config.Train is null ? method.Run : method.Run with { Data = method.Run.Data with { Train = [] } };
        var first = config.Methods[0];
        foreach (var method in config.Methods.Skip(1))
        {
            foreach (var (key, get) in Common)
            {
                if (Equals(get(Shared(first)), get(Shared(method)))) continue;
                throw new InvalidInputException(
                    $"the methods '{first.Name}' and '{method.Name}' differ in {key}, so that nothing could be said of the methods themselves", config.Path, null,
                    $"say {key} under run, for all methods");
            }
        }
    }
}
