using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Meft.Cli.Tests.Processes;

/// <summary>The program as a process of its own, which can be sent signals.</summary>
internal sealed partial class MeftProcess : IDisposable
{
    public const int Interrupt = 2, Terminate = 15;
    private const int ContinueSignal = 18, StopSignal = 19;

    /// <summary>A process that hangs ends the test, not the test run.</summary>
    private static readonly TimeSpan MostPatience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private int _ended;

    private MeftProcess(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, e) => Add(e.Data);
        process.OutputDataReceived += (_, e) => Add(e.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
    }

    public static MeftProcess Start(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host : "dotnet")
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Meft.Cli.dll"));
        foreach (var arg in args) start.ArgumentList.Add(arg);
        return new MeftProcess(Process.Start(start)!);
    }

    /// <summary>What it has written so far, on both outputs.</summary>
    public string Text
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    /// <summary>Waits until it has written a line that begins so.</summary>
    public void WaitForLine(string start)
    {
        var until = Stopwatch.GetTimestamp() + (long)(MostPatience.TotalSeconds * Stopwatch.Frequency);
        lock (_lines)
        {
            while (!_lines.Any(line => line.StartsWith(start, StringComparison.Ordinal)))
            {
                if (_ended == 2 || Stopwatch.GetTimestamp() > until)
                    throw new InvalidOperationException($"no line '{start}' came:\n{string.Join('\n', _lines)}");
                Monitor.Wait(_lines, MostPatience);
            }
        }
    }

    /// <summary>SIGKILL: nothing in the process can answer it.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Halts it, and returns once every thread stands still.</summary>
    public void Halt()
    {
        Signal(StopSignal);
        SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{_process.Id}/stat").Split(") ")[^1][0] == 'T', MostPatience);
    }

    /// <summary>Lets it go on.</summary>
    public void Continue() => Signal(ContinueSignal);

    public void Signal(int signal)
    {
        if (SendSignal(_process.Id, signal) != 0) throw new InvalidOperationException($"the process is gone:\n{Text}");
    }

    /// <summary>Waits for its end; 128 and the signal's number where one ended it.</summary>
    public int WaitForExit()
    {
        if (!_process.WaitForExit(MostPatience)) throw new InvalidOperationException($"the process does not end:\n{Text}");
        _process.WaitForExit(); // for the rest of what it wrote
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    /// <param name="line">A line, or null at an output's end.</param>
    private void Add(string? line)
    {
        lock (_lines)
        {
            if (line is null) _ended++;
            else _lines.Add(line);
            Monitor.PulseAll(_lines);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SendSignal(int process, int signal);
}
