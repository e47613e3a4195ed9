using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Meft.Kernels;

/// <summary>
/// The threads behind <see cref="KernelThreads"/>. One call's ranges are handed out at a time, to its caller and to workers that
/// look out for the next call for a moment before they sleep: a step of decoding makes hundreds of short calls, and waking a thread
/// would take longer than most of them. A call made while another runs, or from within one, is done by its caller alone.
/// </summary>
internal static unsafe class WorkTeam
{
    // A ticket holds how many ranges the present call has (upper half) and how many are taken (lower half). Whoever takes one by adding 1
    // learns by the same act whether it exists, and no call ends before its ranges are done: so what is known of the call stays true.
    private static readonly Lock StartLock = new();
    private static volatile Worker[] _workers = [];
    private static PaddedLong _ticket, _done;
    private static int _busy;
    private static void* _work;
    private static delegate*<void*, int, int, void> _run;
    private static int _count, _grain;
    private static Exception? _failure;

    [ThreadStatic]
    private static bool _isWorking;

    /// <summary>Runs all ranges of [0, count) of at most <paramref name="grain"/> items, and returns when they are done.</summary>
    public static void Run<TWork>(int count, int grain, ref TWork work) where TWork : struct, IRangeWork
    {
        if (_isWorking || Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            work.Run(0, count);
            return;
        }
        try
        {
            // The work stays where it is until all ranges are done: it may be in an object, as a captured variable is, which the collector would move.
            fixed (byte* address = &Unsafe.As<TWork, byte>(ref work)) RunAll(count, grain, address, &Invoke<TWork>);
        }
        finally
        {
            _isWorking = false;
            _work = null;
            var failure = Interlocked.Exchange(ref _failure, null);
            Volatile.Write(ref _busy, 0);
            if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void RunAll(int count, int grain, void* work, delegate*<void*, int, int, void> run)
    {
        var workers = Workers(KernelThreads.Count - 1);
        _work = work;
        _run = run;
        (_count, _grain) = (count, grain);
        _done.Value = 0;
        var ranges = (int)(((long)count + grain - 1) / grain);
        // A full fence, so that a worker that falls asleep either sees these ranges or is seen asleep.
        Interlocked.Exchange(ref _ticket.Value, (long)ranges << 32);
        try
        {
            for (var i = 0; i < workers.Length && i < ranges - 1; i++) workers[i].Wake();
        }
        catch (Exception e)
        {
            // Whatever happens, those who have begun are waited for.
            Interlocked.CompareExchange(ref _failure, e, null);
        }
        _isWorking = true;
        while (TryWork()) { }
        var wait = new SpinWait();
        while (Volatile.Read(ref _done.Value) < ranges) wait.SpinOnce(sleep1Threshold: -1);
    }

    /// <summary>Whether a range is left of the present call.</summary>
    private static bool HasWork()
    {
        var ticket = Volatile.Read(ref _ticket.Value);
        return Taken(ticket) < Ranges(ticket);
    }

    /// <summary>Takes a range and does it; false where none is left.</summary>
    private static bool TryWork()
    {
        if (!HasWork()) return false;
        var ticket = Interlocked.Increment(ref _ticket.Value) - 1;
        var range = Taken(ticket);
        if (range >= Ranges(ticket)) return false;
        var from = range * _grain;
        try
        {
            _run(_work, from, (int)Math.Min(_count, (long)from + _grain));
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
        }
        Interlocked.Increment(ref _done.Value);
        return true;
    }

    private static int Taken(long ticket) => (int)ticket;

    private static int Ranges(long ticket) => (int)(ticket >>> 32);

    private static void Invoke<TWork>(void* work, int from, int to) where TWork : struct, IRangeWork =>
        Unsafe.AsRef<TWork>(work).Run(from, to);

    /// <summary>The first workers; those that do not yet exist are started.</summary>
    private static ReadOnlySpan<Worker> Workers(int count)
    {
        if (_workers.Length < count)
        {
            lock (StartLock)
            {
                while (_workers.Length < count) _workers = [.. _workers, new Worker(_workers.Length)];
            }
        }
        return _workers.AsSpan(0, count);
    }

    /// <summary>A number on cache lines of its own.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 256)]
    private struct PaddedLong
    {
        [System.Runtime.InteropServices.FieldOffset(128)]
        public long Value;
    }

    private sealed class Worker
    {
        /// <summary>How long a worker looks out for the next call before it sleeps.</summary>
        private static readonly long LookOut = System.Diagnostics.Stopwatch.Frequency / 20_000; // 50 µs
        private readonly object _bed = new();
        private readonly int _index;
        private int _isAsleep;

        public Worker(int index)
        {
            _index = index;
            new Thread(Work) { IsBackground = true, Name = "Meft kernels" }.Start();
        }

        public void Wake()
        {
            if (Volatile.Read(ref _isAsleep) == 0) return;
            lock (_bed)
            {
                _isAsleep = 0;
                Monitor.Pulse(_bed);
            }
        }

        private void Work()
        {
            _isWorking = true; // what a range calls in turn is done by this thread alone
            while (true)
            {
                while (IsWanted && TryWork()) { }
                if (!LookOutForWork()) Sleep();
            }
        }

        private bool IsWanted => _index < KernelThreads.Count - 1;

        private bool LookOutForWork()
        {
            var end = System.Diagnostics.Stopwatch.GetTimestamp() + LookOut;
            do
            {
                for (var i = 0; i < 8; i++)
                {
                    if (HasWork() && IsWanted) return true;
                    Thread.SpinWait(4);
                }
            }
            while (System.Diagnostics.Stopwatch.GetTimestamp() < end);
            return false;
        }

        private void Sleep()
        {
            lock (_bed)
            {
                Interlocked.Exchange(ref _isAsleep, 1);
                if (HasWork() && IsWanted) _isAsleep = 0;
                while (_isAsleep == 1) Monitor.Wait(_bed);
            }
        }
    }
}
