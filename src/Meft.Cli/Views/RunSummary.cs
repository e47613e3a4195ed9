using Meft.Core.Configuration;
using Meft.Training.Runs;

namespace Meft.Cli.Views;

/// <summary>How a run ended, on standard output.</summary>
internal static class RunSummary
{
    /// <summary>Writes a few plain lines.</summary>
    public static void Write(TextWriter results, TrainingRun run, RunResult result)
    {
        if (result.WasFinished) results.WriteLine("the run was finished before; nothing was done");
        var speed = result.TokensPerSecond is { } tokens ? $", {tokens:N0} tokens/s" : "";
        results.WriteLine($"steps               {result.Steps:N0} in {Quantities.Duration(result.Seconds)}{speed}");
        if (result.LastLoss is { } loss) results.WriteLine($"last loss           {loss:F4}");
        if (result.StartValidationLoss is { } before && result.EndValidationLoss is { } after)
            results.WriteLine($"validation loss     {before:F4} before, {after:F4} after");
        if (result.StoppedEarly) results.WriteLine($"stopped early       after step {result.Steps:N0} of {run.TotalSteps:N0}");
        if (result.ResultStep is { } step && step < result.Steps) results.WriteLine($"best                {result.BestValidationLoss:F4} after step {step:N0}; the result is that state");
        results.WriteLine(run.Config.Method.Kind == MethodKind.Full
            ? $"trained parameters  {run.TrainedParameterCount:N0}, the base itself"
            : $"trained parameters  {run.TrainedParameterCount:N0} beside {run.BaseParameterCount:N0} of the base");
        if (result.Load is { } load && (load.DeadRows > 0 || load.DeadExperts > 0))
        {
            string[] parts =
            [
                .. load.DeadRows > 0 ? [$"{load.DeadRows * 100:0.##} % of neurons never"] : Array.Empty<string>(),
                .. load.DeadExperts > 0 ? [$"{load.DeadExperts * 100:0.##} % of experts not in steps {load.FromStep:N0}–{load.Step:N0}"] : Array.Empty<string>(),
            ];
            results.WriteLine($"not used            {string.Join("; ", parts)}");
        }
        foreach (var line in PlanView.Compare(result)) results.WriteLine(line);
        if (result.ResultFolder is { } folder) results.WriteLine($"result              {folder}");
        if (Path.Combine(run.Config.Output, "report.html") is var report && File.Exists(report)) results.WriteLine($"report              {report}");
    }
}
