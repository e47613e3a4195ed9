using System.Diagnostics;
using Meft.Demonstration;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>Shows how a demonstration goes on: bars on a terminal, a plain line every few seconds elsewhere.</summary>
internal static class DemoProgressView
{
    /// <summary>Does the work while showing it.</summary>
    public static DemoReport Watch(IAnsiConsole status, Func<IDemoProgress, DemoReport> work)
    {
        if (!status.Profile.Capabilities.Interactive || !status.Profile.Capabilities.Ansi) return work(new Lines(status));
        return status.Progress().HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => work(new Bars(status, context)));
    }

    private static string Describe(string name, double loss) => double.IsNaN(loss) ? name : $"{name}, loss {loss:0.000}";

    /// <summary>Redraws one bar a training.</summary>
    private sealed class Bars(IAnsiConsole status, ProgressContext context) : IDemoProgress
    {
        private ProgressTask? _task;
        private string _name = "";

        public void Remark(string text) => status.WriteLine(text);

        public void BeginTraining(string name, int steps) =>
            (_name, _task) = (name, context.AddTask(Markup.Escape(Describe(name, double.NaN)), maxValue: steps));

        public void StepTaken(int done, double loss)
        {
            _task!.Value = done;
            _task.Description = Markup.Escape(Describe(_name, loss));
        }
    }

    /// <summary>Writes lines and never takes one back.</summary>
    private sealed class Lines(IAnsiConsole status) : IDemoProgress
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(4);
        private string _name = "";
        private int _steps;
        private long _last;

        public void Remark(string text) => status.WriteLine(text);

        public void BeginTraining(string name, int steps)
        {
            (_name, _steps, _last) = (name, steps, Stopwatch.GetTimestamp());
            status.WriteLine($"{name}: {steps:N0} steps");
        }

        public void StepTaken(int done, double loss)
        {
            if (done < _steps && Stopwatch.GetElapsedTime(_last) < Interval) return;
            _last = Stopwatch.GetTimestamp();
            status.WriteLine($"{Describe(_name, loss)}, step {done:N0} of {_steps:N0}");
        }
    }
}
