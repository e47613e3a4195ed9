using Meft.Host;
using Meft.Kernels;

namespace Meft.Benchmarking;

/// <summary>Sizes for timing the optimizer.</summary>
public sealed record OptimizerBenchmarkOptions
{
    /// <summary>D.</summary>
    public int HiddenSize { get; init; } = 576;

    /// <summary>R: rows of a matrix.</summary>
    public IReadOnlyList<int> Ranks { get; init; } = [4096, 16384, 65536];

    /// <summary>The share of the rows that a step touches, for each of the ranks; where there are fewer shares, the last one.</summary>
    public IReadOnlyList<double> TouchedShares { get; init; } = [0.56, 0.35, 0.15];

    /// <summary>Floats of all the touched rows together: matrices enough that no cache holds them between two steps.</summary>
    public long TouchedFloats { get; init; } = 1 << 25;

    /// <summary>Warm-up and repeats.</summary>
    public BenchmarkRounds Rounds { get; init; } = new(3, 15);
}

/// <summary>One way to update rows, at one size.</summary>
/// <param name="Update">What was timed.</param>
/// <param name="Rank">R.</param>
/// <param name="TouchedRows">Rows of a matrix that are updated.</param>
/// <param name="Matrices">How many such matrices a round goes through.</param>
/// <param name="Seconds">Median of a round.</param>
/// <param name="GigabytesPerSecond">10⁹ bytes read and written a second, 28 a float.</param>
/// <param name="StreamGigabytesPerSecond">The plain loop with the same streams over as many floats, timed in the same rounds.</param>
/// <param name="Share">Of the plain loop.</param>
/// <param name="SameRowsGigabytesPerSecond">The plain loop over the very rows that are updated; null where that is all of them.</param>
/// <param name="SameRowsShare">Of that loop: what is left is the arithmetic's cost, and no longer that of rows that lie scattered.</param>
public sealed record OptimizerFigure(
    string Update, int Rank, int TouchedRows, int Matrices, double Seconds, double GigabytesPerSecond, double StreamGigabytesPerSecond,
    double Share, double? SameRowsGigabytesPerSecond, double? SameRowsShare);

/// <summary>
/// AdamW over touched rows, in host memory, beside the plainest loop that reads and writes as much: both sides in turn, so that the machine's
/// noise is the same for both.
/// </summary>
public static class OptimizerBenchmark
{
    private const int BytesAFloat = 28;

    /// <summary>Times all sizes.</summary>
    /// <param name="options">Sizes and rounds.</param>
    /// <param name="progress">Is told what comes next; null for nobody.</param>
    /// <param name="cancellation">Stops between two rounds.</param>
    public static IReadOnlyList<OptimizerFigure> Run(
        OptimizerBenchmarkOptions options, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        var figures = new List<OptimizerFigure>();
        for (var i = 0; i < options.Ranks.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (rank, share) = (options.Ranks[i], options.TouchedShares[Math.Min(i, options.TouchedShares.Count - 1)]);
            progress?.Invoke($"R = {rank:N0}");
            figures.Add(Time(options, "touched rows", rank, Scattered(rank, share), cancellation));
            figures.Add(Time(options, "all rows", rank, null, cancellation));
        }
        return figures;
    }

    private static unsafe OptimizerFigure Time(
        OptimizerBenchmarkOptions options, string name, int rank, int[]? rows, CancellationToken cancellation)
    {
        var (d, count) = (options.HiddenSize, rows?.Length ?? rank);
        var matrices = (int)Math.Max(1, options.TouchedFloats / ((long)count * d));
        using var data = new OptimizerData(matrices, rank, count, d);
        var floats = (long)count * d;
        var step = new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 1);
        List<double> update = [], stream = [], sameRows = [];
        for (var round = -options.Rounds.WarmUp; round < options.Rounds.Repeats; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var updateSeconds = BenchmarkTimer.Seconds(() =>
            {
                fixed (int* touched = rows)
                {
                    for (var m = 0; m < matrices; m++)
                    {
                        var (p, g) = (data.Parameters[m], data.Gradients[m]);
                        AdamW.Update(p.Weights.Data, p.FirstMoments.Data, p.SecondMoments.Data, g.Data, touched, null, count, d, step);
                    }
                }
            });
            var streamSeconds = BenchmarkTimer.Seconds(() =>
            {
                for (var m = 0; m < matrices; m++)
                {
                    var (p, g) = (data.Parameters[m], data.Gradients[m]);
                    StreamingLoop.FourReadsThreeWrites(p.Weights.Data, p.FirstMoments.Data, p.SecondMoments.Data, g.Data, floats);
                }
            });
            var sameRowsSeconds = BenchmarkTimer.Seconds(() =>
            {
                fixed (int* touched = rows)
                {
                    for (var m = 0; m < matrices && touched is not null; m++)
                    {
                        var (p, g) = (data.Parameters[m], data.Gradients[m]);
                        StreamingLoop.FourReadsThreeWrites(
                            p.Weights.Data, p.FirstMoments.Data, p.SecondMoments.Data, g.Data, touched, count, d);
                    }
                }
            });
            if (round < 0) continue;
            sameRows.Add(sameRowsSeconds);
            update.Add(updateSeconds);
            stream.Add(streamSeconds);
        }
        var (seconds, streamed) = (BenchmarkTimer.Median(update), BenchmarkTimer.Median(stream));
        var bytes = (double)BytesAFloat * floats * matrices;
        double? same = rows is null ? null : BenchmarkTimer.Median(sameRows);
        return new OptimizerFigure(
            name, rank, count, matrices, seconds, bytes / seconds / 1e9, bytes / streamed / 1e9, streamed / seconds, bytes / same / 1e9,
            same / seconds);
    }

    /// <summary>Rows as a micro-batch touches them: anywhere, ascending.</summary>
    private static int[] Scattered(int rank, double share)
    {
        var random = new Random(1);
        var chosen = Enumerable.Range(0, rank).ToArray();
        random.Shuffle(chosen);
        return [.. chosen.Take(Math.Max(1, (int)(rank * share))).Order()];
    }

    private sealed class OptimizerData : IDisposable
    {
        public OptimizerData(int matrices, int rank, int touched, int dimension)
        {
            for (var m = 0; m < matrices; m++)
            {
                Parameters.Add(new ParameterRows(rank, dimension));
                Gradients.Add(new HostMatrix(touched, dimension));
                SeededNormal.Fill(Parameters[m].Weights, 0.02f, 1, (ulong)m);
                SeededNormal.Fill(Gradients[m], 1e-3f, 2, (ulong)m);
                // Memory that is there: pages never written to are all the same one.
                for (var row = 0; row < rank; row++)
                {
                    Parameters[m].FirstMoments.Row(row).Fill(1e-4f);
                    Parameters[m].SecondMoments.Row(row).Fill(1e-6f);
                }
            }
        }

        public List<ParameterRows> Parameters { get; } = [];

        public List<HostMatrix> Gradients { get; } = [];

        public void Dispose()
        {
            Parameters.ForEach(p => p.Dispose());
            Gradients.ForEach(g => g.Dispose());
        }
    }
}
