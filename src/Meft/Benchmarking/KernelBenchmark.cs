using static TorchSharp.torch;

namespace Meft.Benchmarking;

/// <summary>Sizes for timing kernels, with the letters of docs/method.md; the defaults are those of SmolLM2-135M.</summary>
public sealed record KernelBenchmarkOptions
{
    /// <summary>D.</summary>
    public int HiddenSize { get; init; } = 576;

    /// <summary>T: real tokens of a micro-batch.</summary>
    public IReadOnlyList<int> Tokens { get; init; } = [312, 1260];

    /// <summary>R: neurons a layer; N = 4·ceil(√R).</summary>
    public IReadOnlyList<int> Ranks { get; init; } = [4096, 65536];

    /// <summary>P.</summary>
    public int Probe { get; init; } = 8;

    /// <summary>k.</summary>
    public int TopK { get; init; } = 64;

    /// <summary>Warm-up and repeats.</summary>
    public BenchmarkRounds Rounds { get; init; } = new(3, 15);

    /// <summary>Rows and columns of the matrices behind the roofs of arithmetic.</summary>
    public int RoofMatrixSize { get; init; } = 1024;

    /// <summary>Floats of a stream behind the roofs of memory; no power of two, which would set all streams against each other in the caches.</summary>
    public int RoofStreamFloats { get; init; } = 30_000_000;
}

/// <summary>What a kernel is bound by, and so what it is held against.</summary>
public enum RoofKind
{
    /// <summary>Nothing: index work.</summary>
    None,

    /// <summary>libtorch's float32 matmul.</summary>
    Matmul,

    /// <summary>Copying memory.</summary>
    Copy,

    /// <summary>A plain loop with AdamW's streams.</summary>
    Stream,
}

/// <summary>One kernel at one size.</summary>
/// <param name="Kernel">What was timed.</param>
/// <param name="Tokens">T.</param>
/// <param name="Rank">R.</param>
/// <param name="Seconds">Median.</param>
/// <param name="Rate">10⁹ floating-point operations (<see cref="RoofKind.Matmul"/>) or bytes read and written a second; NaN for index work.</param>
/// <param name="Roof">What it is held against.</param>
/// <param name="Share">Rate over the roof's.</param>
/// <param name="AllocatedBytes">Managed memory allocated by a call, over all threads.</param>
public sealed record KernelFigure(
    string Kernel, int Tokens, int Rank, double Seconds, double? Rate, RoofKind Roof, double? Share, long AllocatedBytes);

/// <summary>The kernels of a layer beside their roofs.</summary>
/// <param name="Roofs">The roofs.</param>
/// <param name="Samples">What the sample data are like, size by size.</param>
/// <param name="Kernels">The kernels.</param>
public sealed record KernelBenchmarkResult(Roofs Roofs, IReadOnlyList<KernelSampleFacts> Samples, IReadOnlyList<KernelFigure> Kernels);

/// <summary>How much work the sample data make.</summary>
/// <param name="Tokens">T.</param>
/// <param name="Rank">R.</param>
/// <param name="Experts">N.</param>
/// <param name="ActiveEntries">Active neurons, summed over the tokens.</param>
/// <param name="ActiveUnion">U.</param>
public sealed record KernelSampleFacts(int Tokens, int Rank, int Experts, int ActiveEntries, int ActiveUnion);

/// <summary>Times every kernel of an adapted layer, on one layer's data: the caches are as warm as they are within a step.</summary>
public static class KernelBenchmark
{
    /// <summary>Times all kernels at all sizes.</summary>
    /// <param name="options">Sizes and rounds.</param>
    /// <param name="progress">Is told what comes next; null for nobody.</param>
    /// <param name="cancellation">Stops between two kernels.</param>
    public static KernelBenchmarkResult Run(
        KernelBenchmarkOptions options, Action<string>? progress = null, CancellationToken cancellation = default)
    {
        progress?.Invoke("roofs");
        var roofs = Roofs.Measure(options.Rounds, options.RoofMatrixSize, options.RoofStreamFloats);
        var samples = new List<KernelSampleFacts>();
        var figures = new List<KernelFigure>();
        foreach (var rank in options.Ranks)
        {
            foreach (var tokens in options.Tokens)
            {
                using var scope = NewDisposeScope();
                using var sample = new KernelSample(options, tokens, rank);
                samples.Add(sample.Facts);
                foreach (var kernel in KernelList.Of(sample))
                {
                    cancellation.ThrowIfCancellationRequested();
                    progress?.Invoke($"T = {tokens:N0}, R = {rank:N0}: {kernel.Name}");
                    figures.Add(Time(kernel, sample.Facts, options.Rounds, roofs));
                }
            }
        }
        return new KernelBenchmarkResult(roofs, samples, figures);
    }

    private static KernelFigure Time(TimedKernel kernel, KernelSampleFacts facts, BenchmarkRounds rounds, Roofs roofs)
    {
        var seconds = BenchmarkTimer.Median(rounds, kernel.Run);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        kernel.Run();
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        double? rate = kernel.Roof == RoofKind.None ? null : kernel.Amount / seconds / 1e9;
        var roof = kernel.Roof switch
        {
            RoofKind.Matmul => roofs.MatmulSingleGflops,
            RoofKind.Copy => roofs.CopyGigabytes,
            _ => roofs.StreamGigabytes,
        };
        return new KernelFigure(kernel.Name, facts.Tokens, facts.Rank, seconds, rate, kernel.Roof, rate / roof, allocated);
    }
}
