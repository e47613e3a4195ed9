using System.Runtime.InteropServices;
using Meft.Cli.CommandLine;
using Meft.Cli.Views;
using Shouldly;
using Spectre.Console.Testing;

namespace Meft.Cli.Tests.Views;

public class TrainingViewTests
{
    [Fact]
    public void Off_a_terminal_there_is_a_line_every_few_seconds_and_one_for_each_event()
    {
        var time = new ManualTime();
        var console = new TestConsole { Profile = { Width = 1000 } };
        console.Profile.Capabilities.Ansi = false;
        new TrainingView(console, null, time).Watch(observer =>
        {
            observer.Started(0, 100);
            observer.Evaluated(0, 3);
            for (var step = 1; step <= 8; step++)
            {
                observer.PhaseStarted("forward");
                time.Pass(2);
                observer.StepTaken(SampleSteps.Step(step));
            }
            observer.Evaluated(8, 2.5);
            observer.CheckpointSaved(8, "runs/x/checkpoints/step-000008");
            time.Pass(60);
            observer.PhaseStarted("forward");
            observer.PhaseStarted("backward");
            observer.StepTaken(SampleSteps.Step(100, activeRows: double.NaN));
            return 0;
        }, null, CancellationToken.None);

        console.Lines.Select(l => l.TrimEnd()).Where(l => l.Length > 0).ShouldBe(
        [
            "validation loss after step 0: 3.0000",
            "step 1/100 · loss 2.0000 (smoothed 2.0000) · 4,000 tokens/s · 1.25 s a step · 34 % rows active · host 5.00 GiB · device 512 MiB · link a step 2.00 MiB",
            "step 4/100 · loss 2.0000 (smoothed 2.0000) · 4,000 tokens/s · 1.25 s a step · 3:12 left · 34 % rows active · host 5.00 GiB · device 512 MiB · link a step 2.00 MiB",
            "step 7/100 · loss 2.0000 (smoothed 2.0000) · 4,000 tokens/s · 1.25 s a step · 3:06 left · 34 % rows active · host 5.00 GiB · device 512 MiB · link a step 2.00 MiB",
            "validation loss after step 8: 2.5000 (−0.5000)",
            "checkpoint runs/x/checkpoints/step-000008",
            "step 9/100 · forward begins",
            "step 100/100 · loss 2.0000 (smoothed 2.0000) · 4,000 tokens/s · 1.25 s a step · host 5.00 GiB · device 512 MiB · link a step 2.00 MiB",
        ]);
    }

    [Fact]
    public void Off_a_terminal_short_steps_have_lines_with_their_loss_and_not_their_phases()
    {
        var time = new ManualTime();
        var lines = new List<string>();
        var observer = new LineObserver(lines.Add, time);
        observer.Started(0, 100);
        for (var step = 1; step <= 40; step++)
        {
            foreach (var phase in new[] { "data", "forward", "backward", "optimizer" })
            {
                observer.PhaseStarted(phase);
                time.Pass(0.1);
            }
            observer.StepTaken(SampleSteps.Step(step));
        }
        lines.Select(l => l[..l.IndexOf('·', StringComparison.Ordinal)]).ShouldBe(["step 1/100 ", "step 14/100 ", "step 27/100 ", "step 40/100 "]);
        lines.ShouldAllBe(l => l.Contains("loss 2.0000", StringComparison.Ordinal));
    }

    [Fact]
    public void Off_a_terminal_lines_of_several_threads_are_written_one_after_the_other()
    {
        int writing = 0, most = 0;
        var observer = new LineObserver(
            _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref writing));
                Thread.Yield();
                Interlocked.Decrement(ref writing);
            }, new ManualTime());
        observer.Started(0, 1000);
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            for (var i = 1; i <= 250; i++)
            {
                if (thread == 0) observer.Evaluated(i, 1);
                else observer.Remarked("something takes far longer than usual");
            }
        });
        most.ShouldBe(1);
    }

    [Fact]
    public void On_a_terminal_events_stand_above_the_panel_and_the_last_step_stays()
    {
        var console = new TestConsole { EmitAnsiSequences = true, Profile = { Width = 80 } };
        console.Profile.Capabilities.Ansi = true;
        console.Profile.Capabilities.Interactive = true;
        using var error = new StringWriter();
        using var interruption = new Interruption(error);
        var panel = new LivePanel(console, new ManualTime(), interruption.Token);
        using (interruption.AnswerTo(panel.Line, panel.Leave))
        {
            panel.Show(observer =>
            {
                observer.Started(0, 4);
                observer.StepTaken(SampleSteps.Step(1));
                panel.Turn();
                observer.Evaluated(1, 2.25);
                interruption.Take(new PosixSignalContext(PosixSignal.SIGINT));
                panel.Turn();
                return 0;
            });
        }
        var output = console.Output;
        error.ToString().ShouldBeEmpty(); // the answer to Ctrl-C would have been painted over
        // What is said erases the panel it is written over, and the panel follows.
        output.ShouldContain("\u001b[Jvalidation loss after step 1: 2.2500\n");
        output.ShouldContain("\u001b[Jmeft: stopping");
        output[output.IndexOf("\u001b[Jmeft: stopping", StringComparison.Ordinal)..].ShouldContain("stopping after this step, then saving");
        output.ShouldContain("step 1/4 · loss 2.0000");
    }

    [Fact]
    public void What_fails_while_it_is_shown_comes_out_and_nothing_is_drawn_after_it()
    {
        var console = new TestConsole { EmitAnsiSequences = true };
        var panel = new LivePanel(console, new ManualTime(), CancellationToken.None);
        Should.Throw<InvalidOperationException>(() => panel.Show<int>(_ => throw new InvalidOperationException("broken")));
        panel.Turn(); // a timer that comes late draws nothing
        var length = console.Output.Length;
        panel.Turn();
        console.Output.Length.ShouldBe(length);
    }

    [Fact]
    public void Others_are_told_of_a_step_after_it_was_shown()
    {
        var console = new TestConsole();
        console.Profile.Capabilities.Ansi = false;
        var shown = new List<bool>();
        new TrainingView(console, _ => shown.Add(console.Output.Contains("step 1/", StringComparison.Ordinal))).Watch(observer =>
        {
            observer.Started(0, 1);
            observer.StepTaken(SampleSteps.Step(1));
            return 0;
        }, null, CancellationToken.None);
        shown.ShouldBe([true]);
    }
}
