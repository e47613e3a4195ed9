using Meft.Cli.Views;
using Shouldly;
using Spectre.Console.Testing;

namespace Meft.Cli.Tests.Views;

public class ProgressPanelTests
{
    [Fact]
    public void At_80_columns_it_is_five_lines()
    {
        Rendered(80).ShouldBe(
            """
            step 3/12  ━━━━━━━━━━━━────────────────────────────────────  25.0 %   0:13 left
            loss 2.0000   smoothed 2.0321   validation 2.5000   █▄▁
            4,000 tokens/s         1.25 s a step          34 % rows active
            5.00 GiB host          512 MiB device         2.00 MiB link a step
            ⠋ backward      0.5 s   last step: forward 40 % · backward 56 % · optimizer 4 %
            """.Split('\n').Select(l => l.Trim()).ToArray());
    }

    [Theory]
    [InlineData(200, 4)]
    [InlineData(140, 4)]
    [InlineData(120, 5)]
    [InlineData(60, 6)]
    [InlineData(20, 9)]
    public void It_fits_any_width(int width, int lines)
    {
        var rendered = Rendered(width);
        rendered.Length.ShouldBe(lines);
        rendered.ShouldAllBe(line => line.Length < width);
    }

    [Fact]
    public void A_terminal_without_Unicode_gets_plain_characters() =>
        string.Concat(Rendered(80, unicode: false)).ShouldAllBe(c => c < 128);

    [Fact]
    public void Before_the_first_step_it_says_what_is_done()
    {
        var console = new TestConsole { Profile = { Width = 80 } };
        var progress = new RunProgress(new ManualTime());
        progress.Start(0, 12);
        progress.Begin("evaluating");
        console.Write(new ProgressPanel(progress, CancellationToken.None));
        console.Lines.Count.ShouldBe(2);
        console.Output.ShouldContain("evaluating");
    }

    [Fact]
    public void A_request_to_stop_is_part_of_it() => Rendered(80, stopping: true)[^1].ShouldContain("stopping after this step");

    private static string[] Rendered(int width, bool unicode = true, bool stopping = false)
    {
        using var stop = new CancellationTokenSource();
        if (stopping) stop.Cancel();
        var console = new TestConsole { Profile = { Width = width } };
        console.Profile.Capabilities.Unicode = unicode;
        var time = new ManualTime();
        var progress = new RunProgress(time);
        progress.Start(0, 12);
        progress.Evaluate(0, 2.5);
        for (var step = 1; step <= 3; step++)
        {
            time.Pass(1.5);
            progress.Take(SampleSteps.Step(step, loss: 2.0 + (0.03 * (3 - step)) + (step == 1 ? 0.01 : 0)));
        }
        progress.Begin("backward");
        time.Pass(0.5);
        console.Write(new ProgressPanel(progress, stop.Token));
        return [.. console.Lines.Select(l => l.TrimEnd())];
    }
}
