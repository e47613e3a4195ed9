using System.Runtime.InteropServices;

namespace Meft.Cli.CommandLine;

/// <summary>Ctrl-C, and a polite request to end: the first one asks the verb to save and leave, a second one leaves at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly TextWriter _error;
    private int _signals;
    private volatile Action? _diversion;
    private volatile Action<string>? _answer;
    private volatile Action? _leave;

    public Interruption(TextWriter error)
    {
        _error = error;
        _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Take), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take)];
    }

    /// <summary>Cancelled by the first interruption.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether there was one.</summary>
    public bool Requested => _source.IsCancellationRequested;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    /// <summary>From now on Ctrl-C does something else, until the result is disposed of.</summary>
    /// <param name="take">Called for each Ctrl-C, on a thread of its own.</param>
    public IDisposable Divert(Action take)
    {
        _diversion = take;
        return new Ending(() => _diversion = null);
    }

    /// <summary>From now on the answer to a signal is written by someone who draws on the terminal, until the result is disposed of.</summary>
    /// <param name="write">Writes a line; called on a thread of its own.</param>
    /// <param name="leave">Leaves the terminal as it was found: a second signal is about to end the process.</param>
    public IDisposable AnswerTo(Action<string> write, Action leave)
    {
        (_answer, _leave) = (write, leave);
        return new Ending(() => (_answer, _leave) = (null, null));
    }

    /// <summary>Takes a signal: the first one is kept from ending the process.</summary>
    internal void Take(PosixSignalContext signal)
    {
        if (signal.Signal == PosixSignal.SIGINT && _diversion is { } take)
        {
            signal.Cancel = true;
            take();
            return;
        }
        if (Interlocked.Exchange(ref _signals, 1) > 0) // not Requested: the second may come while the first is still being answered
        {
            _leave?.Invoke();
            return;
        }
        signal.Cancel = true;
        (_answer ?? _error.WriteLine)("meft: stopping as soon as what is done so far is safe; a second Ctrl-C leaves at once.");
        _source.Cancel();
    }

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
