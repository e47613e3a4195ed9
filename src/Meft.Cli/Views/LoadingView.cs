using Meft.Loading;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>
/// How far a model has been read, on standard error. Nothing where that takes but a moment; else a bar that goes away at the end where someone is watching, and a plain
/// line every few seconds elsewhere.
/// </summary>
internal sealed class LoadingView : IDisposable
{
    private const string Title = "loading the model";
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(0.5), BetweenLines = TimeSpan.FromSeconds(5);

    private readonly IAnsiConsole _status;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? _begun;
    private ProgressTask? _bar;
    private Task? _shown;

    private LoadingView(IAnsiConsole status, TimeProvider time) => (_status, _time) = (status, time);

    /// <summary>Loads a model and shows how far it is.</summary>
    /// <param name="status">Standard error.</param>
    /// <param name="load">The work; it calls its argument with how far the weights have been read.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public static T Run<T>(IAnsiConsole status, Func<Action<LoadProgress>, T> load, TimeProvider? time = null)
    {
        if (!status.Profile.Capabilities.Interactive) return load(Lines(status, time));
        using var view = new LoadingView(status, time ?? TimeProvider.System);
        return load(view.Show);
    }

    /// <summary>Writes a line every few seconds, wherever that is.</summary>
    public static Action<LoadProgress> Lines(IAnsiConsole status, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        long? last = null;
        return progress =>
        {
            last ??= clock.GetTimestamp();
            if (clock.GetElapsedTime(last.Value) < BetweenLines) return;
            last = clock.GetTimestamp();
            status.WriteLine($"{Title}: {Of(progress)}");
        };
    }

    /// <summary>How far, in bytes.</summary>
    public static string Of(LoadProgress progress) => $"{Quantities.Bytes(progress.BytesRead)} of {Quantities.Bytes(progress.TotalBytes)}";

    /// <inheritdoc/>
    public void Dispose()
    {
        _loaded.TrySetResult();
        _shown?.GetAwaiter().GetResult();
    }

    private void Show(LoadProgress progress)
    {
        _begun ??= _time.GetTimestamp();
        if (_bar is null && _time.GetElapsedTime(_begun.Value) < Moment) return;
        // What is loaded goes on with this thread: the bar is drawn by others until all is there.
        _shown ??= _status.Progress().AutoClear(true).HideCompleted(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async bars =>
            {
                _bar = bars.AddTask(Title);
                await _loaded.Task.ConfigureAwait(false);
            });
        if (_bar is not { } bar) return;
        bar.Description = Markup.Escape($"{Title}: {Of(progress)}");
        bar.MaxValue = Math.Max(1, progress.TotalBytes);
        bar.Value = progress.BytesRead;
    }
}
