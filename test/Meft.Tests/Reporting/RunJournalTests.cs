using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.Reporting;
using Meft.Reporting.TensorBoard;
using Meft.Tests.Reporting.TensorBoard;
using Meft.TestSupport;
using Meft.Training;
using Shouldly;

namespace Meft.Tests.Reporting;

public sealed class RunJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Windows_end_with_evaluations_and_before_checkpoints_and_reports_follow()
    {
        using var method = TinyTaskMethod();
        using var journal = Journal(method);
        journal.Started(0, 10);
        journal.Evaluated(0, 3);
        for (var step = 1; step <= 2; step++) journal.StepTaken(Step(step, validation: step == 2 ? 2.5 : double.NaN));
        File.ReadAllText(_folder.File("report.html")).ShouldBe("2 steps, running");
        for (var step = 3; step <= 4; step++) journal.StepTaken(Step(step));
        journal.PhaseStarted("saving");
        ExpertLoadFile.Read(_folder.File("experts.jsonl")).Select(l => (l.FromStep, l.Step)).ShouldBe([(1, 2), (3, 4)]);
        journal.StepTaken(Step(5));
        journal.Fail(new RunFailedException("broken"));
        File.ReadAllText(_folder.File("report.html")).ShouldBe("5 steps, failed");
        EventReader.Series(_folder.Path, "loss/validation").Select(s => (s.Step, s.Value.SimpleValue)).ShouldBe([(0, 3f), (2, 2.5f)]);
        EventReader.Series(_folder.Path, "adapter/dead_rows").Select(s => s.Step).ShouldBe([2, 4]);
    }

    [Fact]
    public void A_resumed_run_takes_up_what_there_is_and_doubles_nothing()
    {
        using var method = TinyTaskMethod();
        using (var journal = Journal(method))
        using (var metrics = new MetricsWriter(_folder.File("metrics.jsonl")))
        {
            journal.Started(0, 10);
            for (var step = 1; step <= 6; step++)
            {
                metrics.Write(Step(step));
                if (step == 4) _folder.Write("samples.jsonl", Sample(4));
                journal.StepTaken(Step(step));
                if (step is 4 or 6) journal.PhaseStarted("saving");
            }
        }
        // Killed after step 6 while the checkpoint of step 6 was being written: it goes on after step 4.
        using (var journal = Journal(method))
        {
            journal.Started(4, 10);
            journal.History.Steps.ShouldBe(4);
            journal.History.Tokens.ShouldBe(4 * 10);
            journal.StepTaken(Step(5));
            File.AppendAllText(_folder.File("samples.jsonl"), Sample(6));
            journal.StepTaken(Step(6, validation: 2));
            journal.History.LastStep.ShouldBe(6);
        }
        ExpertLoadFile.Read(_folder.File("experts.jsonl")).Select(l => (l.FromStep, l.Step)).ShouldBe([(1, 4), (5, 6)]);
        EventFile.In(_folder.Path).Count.ShouldBe(2);
        EventReader.Series(_folder.Path, "loss/train").Select(s => s.Step).ShouldBe([1, 2, 3, 4, 5, 6]);
        EventReader.Series(_folder.Path, "samples/000").Select(s => s.Step).ShouldBe([4, 6]);
    }

    public void Dispose() => _folder.Dispose();

    private static SparseAdapterMethod TinyTaskMethod() => Training.TinyTask.NewMethod();

    private RunJournal Journal(SparseAdapterMethod method) => new(_folder.Path, method.Usage, (history, state) => $"{history.Steps} steps, {state.Name}", null);

    private static string Sample(int step) => $"{{\"step\":{step},\"index\":0,\"prompt\":\"p\",\"text\":\"t\",\"expected\":null}}\n";

    private static StepMetrics Step(int step, double validation = double.NaN) => new()
    {
        Step = step,
        Epoch = 0,
        Loss = 1,
        LearningRate = 1,
        GradNorm = 1,
        Tokens = 10,
        TrainedTokens = 10,
        Seconds = 1,
        ValidationLoss = validation,
    };
}
