using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>
/// How far a piece of work is, on standard error: a bar that goes away at the end where someone is watching, else a plain line every few
/// seconds.
/// </summary>
internal static class WorkProgress
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    /// <summary>Does work that tells how much of it is done.</summary>
    /// <param name="status">Standard error.</param>
    /// <param name="title">What is done, for example <c>scoring rows</c>.</param>
    /// <param name="work">The work; it calls its argument with what is done and how much there is in all.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public static T Run<T>(IAnsiConsole status, string title, Func<Action<long, long>, T> work, TimeProvider? time = null)
    {
        if (!status.Profile.Capabilities.Interactive) return work(Lines(status, title, time ?? TimeProvider.System));
        return status.Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(progress =>
            {
                var task = progress.AddTask(Markup.Escape(title));
                return work((done, total) =>
                {
                    task.MaxValue = Math.Max(1, total);
                    task.Value = done;
                });
            });
    }

    private static Action<long, long> Lines(IAnsiConsole status, string title, TimeProvider time)
    {
        var last = time.GetTimestamp();
        return (done, total) =>
        {
            if (time.GetElapsedTime(last) < BetweenLines) return;
            last = time.GetTimestamp();
            status.WriteLine($"{title}: {100.0 * done / Math.Max(1, total):0} %");
        };
    }
}
