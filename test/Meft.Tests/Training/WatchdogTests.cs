using Meft.Training;
using Shouldly;

namespace Meft.Tests.Training;

public sealed class WatchdogTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly PhaseClock _phases;
    private readonly List<Stall> _stalls = [];
    private readonly Watchdog _watchdog;

    public WatchdogTests()
    {
        _phases = new PhaseClock(_time);
        _watchdog = new Watchdog(_phases, _stalls.Add, _time);
    }

    [Fact]
    public void A_step_of_more_than_twenty_medians_is_told_once_with_its_phase()
    {
        for (var step = 1; step <= 5; step++) Take(Activity.Step, step, step == 1 ? 9 : 1.5);
        _watchdog.Enter(Activity.Step, 6);
        _phases.Restart("data");
        _time.Pass(2);
        _phases.Enter("forward");
        _time.Pass(1);
        _phases.Enter("backward");
        _time.Pass(27);
        _stalls.ShouldBeEmpty(); // 30 s are 20 medians, and not more
        _time.Pass(400);
        var stall = _stalls.ShouldHaveSingleItem();
        stall.ShouldBe(new Stall(Activity.Step, 6, "backward", TimeSpan.FromSeconds(31), TimeSpan.FromSeconds(28), TimeSpan.FromSeconds(1.5)));
        stall.ToString().ShouldBe(
            "step 6 has taken 31 s so far, more than 20 times the median step of 1.5 s, and is in its backward phase for 28 s; "
            + "is memory being swapped to disk, does another program use the processor or the card, or has the machine slept?");

        Take(Activity.Step, 7, 31);
        _stalls.Count.ShouldBe(2); // the next step is another
    }

    [Fact]
    public void Short_stalls_and_the_first_steps_are_not_told()
    {
        Take(Activity.Step, 1, 0.01);
        Take(Activity.Step, 2, 0.01);
        Take(Activity.Step, 3, 500); // there is no median yet
        Take(Activity.Step, 4, 0.01);
        Take(Activity.Step, 5, 9.9); // far above twenty medians of 10 ms, and nothing that anybody would act on
        _stalls.ShouldBeEmpty();
        Take(Activity.Step, 6, 11.5);
        _stalls.Count.ShouldBe(1);
    }

    [Fact]
    public void Evaluations_and_checkpoints_have_medians_of_their_own()
    {
        for (var i = 0; i < 4; i++)
        {
            Take(Activity.Step, i, 1);
            Take(Activity.Evaluation, i, 60);
            Take(Activity.Checkpoint, i, 5);
        }
        Take(Activity.Evaluation, 4, 1100);
        _stalls.ShouldBeEmpty();
        Take(Activity.Checkpoint, 4, 102);
        _stalls.ShouldHaveSingleItem().Phase.ShouldBeEmpty();
        _stalls[0].ToString().ShouldStartWith("the checkpoint of step 4 has taken 101 s so far, more than 20 times the median checkpoint of 5.0 s; is the disk slow");
    }

    [Fact]
    public void After_the_end_nothing_is_told_and_what_cannot_be_told_ends_nothing()
    {
        using var throwing = new Watchdog(_phases, _ => throw new InvalidOperationException("the screen is gone"), _time);
        for (var step = 1; step <= 4; step++)
        {
            throwing.Enter(Activity.Step, step);
            Take(Activity.Step, step, 1);
        }
        throwing.Enter(Activity.Step, 5);
        _watchdog.Enter(Activity.Step, 5);
        _watchdog.Dispose();
        _time.Pass(1000);
        _stalls.ShouldBeEmpty();
    }

    [Fact]
    public void A_loop_tells_of_the_step_and_phase_that_takes_long_and_goes_on()
    {
        using var tiny = new TinyTask();
        using var inner = TinyTask.NewMethod();
        using var slow = new MethodWithFaults(inner) { OnMicroBatch = (step, _) => _time.Pass(step == 8 ? 70 : 2), OnUpdate = _ => _time.Pass(1) };
        var seen = new RecordingObserver();
        new Trainer(tiny.Create(slow) with { CheckWorstBatch = Core.Configuration.WorstBatchCheck.Off }, null, seen, _time)
            .Run(cancellation: TestContext.Current.CancellationToken).Steps.ShouldBe(12);
        var stall = seen.Stalls.ShouldHaveSingleItem();
        (stall.Activity, stall.Step, stall.Phase, stall.Median).ShouldBe((Activity.Step, 8, "data", TimeSpan.FromSeconds(3)));
        stall.Elapsed.ShouldBe(TimeSpan.FromSeconds(61));
        seen.Steps[7].Phases["data"].ShouldBe(70);
        seen.Steps[7].Phases["optimizer"].ShouldBe(1);
        seen.Steps[7].Seconds.ShouldBe(71);
    }

    public void Dispose() => _watchdog.Dispose();

    private void Take(Activity activity, int step, double seconds)
    {
        _watchdog.Enter(activity, step);
        _time.Pass(seconds);
        _watchdog.Leave();
    }
}
