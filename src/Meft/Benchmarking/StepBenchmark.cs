using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Machine;
using Meft.Loading;

namespace Meft.Benchmarking;

/// <summary>What to time training steps on.</summary>
public sealed record StepBenchmarkOptions
{
    /// <summary>The adapted layers.</summary>
    public LayerSelection Layers { get; init; } = new LayerSelection.All();

    /// <summary>Rows of a step, taken in the order of the file.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>R of the methods that have one.</summary>
    public IReadOnlyList<int> Ranks { get; init; } = [1024, 4096, 16384, 65536];

    /// <summary>The methods by name; the first is what the others are compared with.</summary>
    public IReadOnlyList<string> Methods { get; init; } = StepBenchmark.MethodNames;

    /// <summary>P.</summary>
    public int Probe { get; init; } = 8;

    /// <summary>k.</summary>
    public int TopK { get; init; } = 64;

    /// <summary>Warm-up and repeats.</summary>
    public BenchmarkRounds Rounds { get; init; } = new(2, 5);

    /// <summary>What travels between host and device, of the methods that have a choice; several are compared.</summary>
    public IReadOnlyList<ExecutionKind> Executions { get; init; } = [ExecutionKind.Activations];

    /// <summary>Whether layers compute their activations again in the backward pass.</summary>
    public bool Recompute { get; init; }

    /// <summary>Whether the adapter's part of the forward and the backward pass is timed as well.</summary>
    public bool Profile { get; init; }
}

/// <summary>One method at one rank.</summary>
/// <param name="Base">How the layers of its base are held.</param>
/// <param name="Method">Its name.</param>
/// <param name="Execution">What travels between host and device; null where the method has no choice.</param>
/// <param name="Rank">R, or the method's own rank.</param>
/// <param name="Group">Sides of one group took turns, step by step, on the same rows.</param>
/// <param name="Seconds">Median of a step.</param>
/// <param name="Ratio">Median, over the rounds of its group, of its seconds over those of the side that all are compared with.</param>
/// <param name="Parameters">Trained parameters.</param>
/// <param name="Tokens">Real tokens of a step, median.</param>
/// <param name="ActiveRows">U, mean over the layers, median over steps; null for methods without rows.</param>
/// <param name="DeviceBytesPeak">The ledger's highest count of bytes on the device.</param>
/// <param name="DeviceBytesByCause">What those bytes were for, at the moment of the peak.</param>
/// <param name="HostToDeviceBytes">Over the link, a step, median.</param>
/// <param name="DeviceToHostBytes">Over the link, a step, median.</param>
/// <param name="HostBytesAParameter">Host memory over trained parameters.</param>
/// <param name="Phases">Share of a step by phase, medians; parts named <c>phase: part</c> lie within their phase.</param>
public sealed record StepFigure(
    string Base, string Method, string? Execution, int Rank, int Group, double Seconds, double Ratio, long Parameters, double Tokens, double? ActiveRows, long DeviceBytesPeak,
    IReadOnlyDictionary<string, long> DeviceBytesByCause, long HostToDeviceBytes, long DeviceToHostBytes, double HostBytesAParameter,
    IReadOnlyDictionary<string, double> Phases);

/// <summary>Steps of several methods side by side.</summary>
/// <param name="Reference">The side that all are compared with.</param>
/// <param name="Groups">How many groups memory made of the sides; sides of different groups did not take turns.</param>
/// <param name="Sides">The figures.</param>
public sealed record StepBenchmarkResult(string Reference, int Groups, IReadOnlyList<StepFigure> Sides);

/// <summary>
/// Times training steps of several methods on the same rows. The sides take turns, step by step, so that the machine's noise hits all alike;
/// where memory cannot hold them all at once they are timed in groups, each of them with the side that all are compared with.
/// </summary>
public static class StepBenchmark
{
    /// <summary>Host memory that is left to everything but the sides.</summary>
    private const long Reserve = 2L << 30;

    /// <summary>The names of the methods that can be timed.</summary>
    public static IReadOnlyList<string> MethodNames { get; } = [.. StepMethod.All.Select(m => m.Name)];

    /// <summary>Times all sides.</summary>
    /// <param name="models">The base, or several forms of it to be compared; the first with the first method is what all are compared with.</param>
    /// <param name="rows">Rows to train on, in order.</param>
    /// <param name="options">What to time.</param>
    /// <param name="progress">Is told what comes next; null for nobody.</param>
    /// <param name="limits">The machine's memory; null to read it.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such method or layer, or a side does not fit into memory: the numbers are named.
    /// </exception>
    public static StepBenchmarkResult Run(
        IReadOnlyList<LoadedModel> models, IReadOnlyList<TokenRow> rows, StepBenchmarkOptions options, Action<string>? progress = null, MemoryLimits? limits = null,
        CancellationToken cancellation = default)
    {
        var plans = Plans(models, options);
        var groups = Grouped(plans, Free(limits ?? MemoryLimits.Read()));
        var figures = new List<StepFigure>();
        for (var g = 0; g < groups.Count; g++)
        {
            var which = groups.Count > 1 ? $" (group {g + 1} of {groups.Count}: memory does not hold all at once)" : "";
            progress?.Invoke(string.Join(", ", groups[g]) + which);
            figures.AddRange(RunGroup(rows, options, groups[g], g, cancellation));
        }
        return new StepBenchmarkResult(plans[0].ToString(), groups.Count, figures);
    }

    private static List<StepFigure> RunGroup(
        IReadOnlyList<TokenRow> rows, StepBenchmarkOptions options, List<StepPlan> group, int index, CancellationToken cancellation)
    {
        var sides = new List<StepSide>();
        try
        {
            foreach (var plan in group) sides.Add(new StepSide(plan, options.Profile, options.Recompute));
            var batches = (rows.Count + options.BatchSize - 1) / options.BatchSize;
            for (var round = 0; round < options.Rounds.WarmUp + options.Rounds.Repeats; round++)
            {
                var batch = rows.Skip(round % batches * options.BatchSize).Take(options.BatchSize).ToList();
                foreach (var side in sides)
                {
                    cancellation.ThrowIfCancellationRequested();
                    side.Run(batch, timed: round >= options.Rounds.WarmUp);
                }
            }
            var reference = sides[0];
            return
            [
                .. sides.Skip(index == 0 ? 0 : 1).Select(side => side.Figure(
                    BenchmarkTimer.Median([.. side.Seconds.Zip(reference.Seconds, (a, b) => a / b)]), index + 1)),
            ];
        }
        finally
        {
            sides.ForEach(side => side.Dispose());
        }
    }

    private static List<StepPlan> Plans(IReadOnlyList<LoadedModel> models, StepBenchmarkOptions options)
    {
        var plans = new List<StepPlan>();
        foreach (var method in options.Methods.Select(StepMethod.Find))
        {
            IReadOnlyList<int> ranks = method.FixedRank is { } only ? [only] : options.Ranks;
            foreach (var rank in ranks.Where(r => !(r > method.LargestRank)))
            {
                var config = new MethodConfig
                {
                    RequestedRank = rank,
                    Experts = MethodConfig.AutoExperts(rank),
                    Probe = Math.Min(options.Probe, MethodConfig.AutoExperts(rank)),
                    TopK = options.TopK,
                    Layers = options.Layers,
                };
                IReadOnlyList<ExecutionKind?> executions = method.HasExecution ? [.. options.Executions] : [null];
                plans.AddRange(
                    from execution in executions
                    from model in models
                    select new StepPlan(method, SparseAdapterSpec.From(config, model.Config.HiddenSize, model.Config.LayerCount), model, execution));
            }
        }
        return plans.Count > 0 ? plans : throw new InvalidInputException(
            "no method is left at these ranks", "--ranks", $"for parallel and masked up to {StepMethod.All.Max(m => m.LargestRank)}");
    }

    /// <summary>Sides that memory holds at once, in order; the first side is in every group.</summary>
    private static List<List<StepPlan>> Grouped(List<StepPlan> plans, long free)
    {
        var groups = new List<List<StepPlan>>();
        foreach (var plan in plans)
        {
            var alone = plan.HostBytes + (plan == plans[0] ? 0 : plans[0].HostBytes);
            if (alone > free) throw TooLarge(plan, plans[0], alone, free);
            if (groups.Count > 0 && groups[^1].Sum(p => p.HostBytes) + plan.HostBytes <= free) groups[^1].Add(plan);
            else groups.Add(plan == plans[0] ? [plan] : [plans[0], plan]);
        }
        return groups;
    }

    private static long Free(MemoryLimits limits)
    {
        var used = Environment.WorkingSet;
        var free = Math.Min(limits.AvailableBytes ?? long.MaxValue, (limits.UsableBytes ?? long.MaxValue) - used);
        return free - Reserve;
    }

    private static InvalidInputException TooLarge(StepPlan plan, StepPlan reference, long bytes, long free) => new(
        $"{plan}{(plan == reference ? "" : $" beside {reference}")} takes up to {bytes:N0} bytes of host memory and {Math.Max(0, free):N0} are free, "
        + $"{Reserve:N0} left to everything else", "bench step", null, "lower --ranks or adapt fewer layers with --layers");
}
