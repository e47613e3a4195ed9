using Meft.Cli.Views;
using Shouldly;

namespace Meft.Cli.Tests.Views;

public class RunProgressTests
{
    [Fact]
    public void The_time_left_is_that_of_the_steps_after_the_first_and_runs_down_between_them()
    {
        var time = new ManualTime();
        var progress = new RunProgress(time);
        progress.Start(10, 20);
        progress.Left.ShouldBeNull();
        time.Pass(100); // the first step is slow
        progress.Take(SampleSteps.Step(11));
        progress.Left.ShouldBeNull();
        time.Pass(2);
        progress.Take(SampleSteps.Step(12));
        time.Pass(4); // an evaluation among them
        progress.Take(SampleSteps.Step(13));
        progress.Left.ShouldBe(TimeSpan.FromSeconds(7 * 3));
        time.Pass(1);
        progress.Left.ShouldBe(TimeSpan.FromSeconds(20));
        time.Pass(1000);
        progress.Left.ShouldBe(TimeSpan.Zero);
        progress.Take(SampleSteps.Step(20));
        progress.Left.ShouldBeNull();
    }

    [Fact]
    public void The_smoothed_loss_begins_with_the_first_and_follows_slowly()
    {
        var progress = new RunProgress(new ManualTime());
        progress.Start(0, 100);
        progress.SmoothedLoss.ShouldBe(double.NaN);
        progress.Take(SampleSteps.Step(1, loss: 4));
        progress.SmoothedLoss.ShouldBe(4, 1e-12);
        progress.Take(SampleSteps.Step(2, loss: 2));
        progress.SmoothedLoss.ShouldBe(((0.95 * 4) + 2) / 1.95, 1e-12);
        progress.Take(SampleSteps.Step(3, loss: double.NaN));
        progress.SmoothedLoss.ShouldBe(((0.95 * 4) + 2) / 1.95, 1e-12);
    }

    [Fact]
    public void A_sparkline_goes_from_the_highest_block_to_the_lowest_as_the_loss_falls()
    {
        var progress = new RunProgress(new ManualTime());
        progress.Start(0, 100);
        for (var step = 1; step <= 60; step++) progress.Take(SampleSteps.Step(step, loss: 60 - step));
        var line = Sparkline.Of(progress.LossCurve.Bins, 12);
        line.Length.ShouldBe(12);
        (line[0], line[^1]).ShouldBe(('█', '▁'));
        Sparkline.Of(progress.LossCurve.Bins, 1).ShouldBeEmpty();
        Sparkline.Of([], 12).ShouldBeEmpty();
    }
}
