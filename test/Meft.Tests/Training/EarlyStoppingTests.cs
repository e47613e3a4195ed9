using Meft.Core.Configuration;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training;

public sealed class EarlyStoppingTests : IDisposable
{
    private const int Every = 2, Patience = 3;
    private readonly TemporaryFolder _folder = new();
    private readonly TinyTask _tiny = new();

    [Fact]
    public void It_stops_after_so_many_evaluations_without_an_improvement()
    {
        using var method = TinyTask.NewMethod();
        var seen = new RecordingObserver();
        var outcome = new Trainer(Task(method), null, seen).Run(cancellation: TestContext.Current.CancellationToken);

        // The rows are random: what is learned of some says nothing of others, so the loss on those soon rises.
        outcome.StoppedEarly.ShouldBeTrue();
        outcome.Interrupted.ShouldBeFalse();
        outcome.Steps.ShouldBeLessThan(60);
        var after = seen.Evaluations.Where(e => e.Step > 0).ToList();
        var best = after.MinBy(e => e.Loss);
        (outcome.Progress.BestValidationStep, outcome.Progress.BestValidationLoss).ShouldBe((best.Step, best.Loss));
        outcome.Steps.ShouldBe(best.Step + Every * Patience);
        after[^1].Step.ShouldBe(outcome.Steps);
        seen.Steps.Count.ShouldBe(outcome.Steps);
        seen.Remarks.ShouldHaveSingleItem().ShouldBe(FormattableString.Invariant(
            $"stopped after step {outcome.Steps} of 60: the validation loss has not improved on {best.Loss:F4}, after step {best.Step}, in 3 evaluations"));
    }

    [Fact]
    public void Without_patience_the_run_goes_to_its_end()
    {
        using var method = TinyTask.NewMethod();
        new Trainer(Task(method) with { Patience = 0 }).Run(cancellation: TestContext.Current.CancellationToken).Steps.ShouldBe(60);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_resumed_run_stops_at_the_same_step_with_the_same_bits(bool withinAnEvaluation)
    {
        using var straight = TinyTask.NewMethod();
        var whole = new Trainer(Task(straight), NewRun("straight")).Run(cancellation: TestContext.Current.CancellationToken);

        // Asked to stop after an even step, whose evaluation has been or is thereby left out.
        var at = (whole.Progress.BestValidationStep ?? 0) + Every;
        var run = NewRun("resumed");
        using (var inner = TinyTask.NewMethod())
        {
            using var stop = new CancellationTokenSource();
            using var first = new MethodWithFaults(inner)
            {
                OnUpdate = step =>
                {
                    if (withinAnEvaluation && step == at) stop.Cancel();
                },
            };
            var seen = new RecordingObserver(step =>
            {
                if (step == at) stop.Cancel();
            });
            var outcome = new Trainer(Task(first), run, seen).Run(0, stop.Token);
            (outcome.Interrupted, outcome.Steps).ShouldBe((true, at));
            seen.Evaluations.Any(e => e.Step == at).ShouldBe(!withinAnEvaluation);
        }
        using var resumed = TinyTask.NewMethod();
        run.Checkpoints.LoadNewest(resumed, _ => { }).ShouldBe(at);
        var rest = new RecordingObserver();
        var end = new Trainer(Task(resumed), run, rest).Run(at, run.Checkpoints.ProgressAt(at), TestContext.Current.CancellationToken);
        end.Steps.ShouldBe(whole.Steps);
        end.StoppedEarly.ShouldBeTrue();
        end.Progress.BestValidationStep.ShouldBe(whole.Progress.BestValidationStep);
        end.StartValidationLoss.ShouldBe(whole.StartValidationLoss);
        TinyTask.Bits(resumed).ShouldBe(TinyTask.Bits(straight));
        rest.Evaluations.Any(e => e.Step == at).ShouldBe(withinAnEvaluation); // what was measured is not measured again
    }

    [Fact]
    public void A_run_that_ended_between_its_last_checkpoint_and_its_result_takes_no_further_step()
    {
        var run = NewRun("run");
        int steps;
        using (var first = TinyTask.NewMethod()) steps = new Trainer(Task(first), run).Run(cancellation: TestContext.Current.CancellationToken).Steps;
        run.Checkpoints.Steps.ShouldContain(steps);
        using var again = TinyTask.NewMethod();
        run.Checkpoints.LoadNewest(again, _ => { }).ShouldBe(steps);
        var seen = new RecordingObserver();
        var outcome = new Trainer(Task(again), run, seen).Run(steps, run.Checkpoints.ProgressAt(steps), TestContext.Current.CancellationToken);
        (outcome.Steps, outcome.StoppedEarly).ShouldBe((steps, true));
        seen.Steps.ShouldBeEmpty();
    }

    [Fact]
    public void The_best_state_is_saved_whenever_there_is_a_new_one_where_asked_for()
    {
        var run = NewRun("run");
        using var method = TinyTask.NewMethod();
        var outcome = new Trainer(Task(method) with { KeepBest = true, Patience = 1 }, run).Run(cancellation: TestContext.Current.CancellationToken);
        var best = outcome.Progress.BestValidationStep!.Value;
        best.ShouldBeLessThan(outcome.Steps);
        run.Checkpoints.Steps.ShouldBe([best, outcome.Steps]);
    }

    [Fact]
    public void A_best_state_whose_evaluation_was_cut_short_is_kept_too()
    {
        using var straight = TinyTask.NewMethod();
        var best = new Trainer(Task(straight)).Run(cancellation: TestContext.Current.CancellationToken).Progress.BestValidationStep!.Value;
        var run = NewRun("run");
        using (var inner = TinyTask.NewMethod())
        {
            using var stop = new CancellationTokenSource();
            using var first = new MethodWithFaults(inner)
            {
                OnUpdate = step =>
                {
                    if (step == best) stop.Cancel();
                },
            };
            new Trainer(Task(first) with { KeepBest = true }, run).Run(0, stop.Token).Steps.ShouldBe(best);
        }
        run.Checkpoints.ProgressAt(best).BestValidationStep.ShouldNotBe(best);
        using var resumed = TinyTask.NewMethod();
        run.Checkpoints.LoadNewest(resumed, _ => { }).ShouldBe(best);
        var outcome = new Trainer(Task(resumed) with { KeepBest = true, CheckpointEvery = 1 }, run)
            .Run(best, run.Checkpoints.ProgressAt(best), TestContext.Current.CancellationToken);
        outcome.Progress.BestValidationStep.ShouldBe(best);
        run.Checkpoints.ProgressAt(best).BestValidationStep.ShouldBe(best);
        run.Checkpoints.Steps.ShouldBe([best, outcome.Steps - 1, outcome.Steps]);
    }

    [Fact]
    public void Only_what_is_lower_by_more_than_min_delta_is_an_improvement()
    {
        var progress = TrainingProgress.None.Started(9).Measured(10, 5, 0.5).Measured(20, 4.6, 0.5).Measured(30, 4.5, 0.5);
        (progress.BestValidationStep, progress.BestValidationLoss, progress.EvaluationsSinceBest).ShouldBe((10, 5, 2));
        progress = progress.Measured(40, 4.4, 0.5);
        (progress.BestValidationStep, progress.BestValidationLoss, progress.EvaluationsSinceBest).ShouldBe((40, 4.4, 0));
        progress = progress.Measured(50, double.NaN, 0.5); // is no measurement
        (progress.EvaluationsSinceBest, progress.EvaluatedStep, progress.ValidationLoss).ShouldBe((0, 50, 4.4));
        progress.Measured(60, 4.4).EvaluationsSinceBest.ShouldBe(1);
    }

    public void Dispose()
    {
        _tiny.Dispose();
        _folder.Dispose();
    }

    private TrainingTask Task(ITrainedMethod method) => _tiny.Create(method, steps: 60) with
    {
        EvaluateEvery = Every,
        Patience = Patience,
        Rates = new Core.Schedules.LearningRateSchedule(ScheduleKind.Constant, 0.05, 0, 60),
    };

    private RunFolder NewRun(string name) => RunFolder.Open(
        new RunConfig { Model = "m", Output = _folder.File(name), Data = new DataConfig { Train = ["rows.jsonl"] } }, ExistingRun.Refuse);
}
