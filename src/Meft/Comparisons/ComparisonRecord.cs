using System.Globalization;
using Meft.Benchmarking;
using Meft.Core.Comparisons;
using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Core.Planning;

namespace Meft.Comparisons;

/// <summary>Sums up what a comparison has come to so far.</summary>
/// <param name="config">The comparison.</param>
/// <param name="figures">The shown figures.</param>
/// <param name="methods">The methods with what they have come to.</param>
/// <param name="machine">What it runs on.</param>
internal sealed class ComparisonRecord(
    ComparisonConfig config, IReadOnlyList<ShownFigure> figures, IReadOnlyList<PlannedMethod> methods, BenchmarkMachine machine)
{
    /// <summary>The machine in a line.</summary>
    public string Machine { get; } = Text(machine, config.Methods[0].Run.Device);

    private readonly IReadOnlyList<ShownMetric> _metrics = [.. config.Tasks.SelectMany(task => task.Metrics)];

    /// <summary>What the base alone came to; null where it has not been asked.</summary>
    public CellResult? Before { get; set; }

    /// <summary>Whether nothing is left to do.</summary>
    public bool IsComplete { get; set; }

    /// <summary>The result so far.</summary>
    public ComparisonResult Result()
    {
        var reference = config.Reference is null ? null : methods.Single(method => method.Method == config.Reference);
        var first = config.Methods[0].Run;
        return new ComparisonResult
        {
            Version = Joined(cell => cell.Version, machine.Meft),
            Machine = Joined(cell => cell.Machine, Machine),
            Config = Path.GetFileName(config.Path),
            Model = Path.GetFileName(Path.TrimEndingDirectorySeparator(first.Model)),
            BaseParameters = methods[0].Plan.BaseParameters,
            DeviceBudget = first.Budget.DeviceBytes,
            TrainingRows = methods[0].Rows ?? 0,
            Seeds = config.Seeds,
            Figures = figures,
            Before = Before is null ? null : [.. Before.Figures.Select((numbers, i) => FigureStatistics.Of([numbers], null, IsPerplexity(i)))],
            Records = Before is null ? null : [.. Before.Figures.Select(numbers => numbers.Clusters.Distinct().Count())],
            Reference = config.Reference?.Name,
            Methods = [.. methods.Select(method => Row(method, reference))],
            IsComplete = IsComplete,
        };
    }

    /// <summary>What all runs were made with; of runs that were made elsewhere, theirs.</summary>
    private string Joined(Func<CellResult, string?> get, string here)
    {
        var all = methods.SelectMany(method => method.Seeds).Select(cell => get(cell) ?? ComparisonResult.NotTakenDown).Distinct().ToList();
        return all.Count == 0 ? here : string.Join("; and ", all);
    }

    private MethodResult Row(PlannedMethod planned, PlannedMethod? reference)
    {
        var (method, plan, seeds) = (planned.Method.Run.Method, planned.Plan, planned.Seeds);
        // Seconds of one machine and bytes of another are no costs of any: those of most seeds count.
        var costed = seeds.GroupBy(seed => seed.Machine).MaxBy(machine => machine.Count());
        return new MethodResult
        {
            Name = planned.Method.Name,
            Id = planned.Method.Id,
            Kind = method.Kind,
            Rank = method.Kind == MethodKind.Full ? null : method.Rank,
            Parameters = plan.TrainedParameters,
            Beta1 = planned.Method.Run.Optimizer.Betas.Beta1,
            DoesNotFit = seeds.Count > 0 ? null : planned.DoesNotFit,
            PlannedDeviceBytes = plan.Memory.CountedDeviceBytes,
            PlannedHostBytes = plan.Memory.Of(MemoryTier.Host),
            LearningRate = planned.IsLeftOut ? null : planned.Rate,
            IsRateAtEdge = planned.IsRateAtEdge,
            Grid = [.. planned.Grid.OrderBy(point => point.LearningRate)],
            Cost = costed is null ? null : Cost([.. costed.Select(seed => seed.Cost!)]),
            CostMachine = costed?.Key,
            Figures = seeds.Count == 0 ? null : [.. figures.Select((_, i) => Figure(planned, reference, i))],
            DeadExperts = Mean([.. seeds.Select(seed => seed.DeadExperts)]),
            DeadRows = Mean([.. seeds.Select(seed => seed.DeadRows)]),
            Failure = seeds.Count == 0 && planned.DoesNotFit is not null ? null : planned.Failure,
        };
    }

    /// <summary>A figure over those seeds that are done; its difference to the reference over those that both have done.</summary>
    private FigureValue Figure(PlannedMethod planned, PlannedMethod? reference, int figure)
    {
        var numbers = planned.Seeds.Select(seed => seed.Figures[figure]).ToList();
        var value = FigureStatistics.Of(numbers, null, IsPerplexity(figure));
        if (reference is null || reference == planned) return value;
        var common = Math.Min(numbers.Count, reference.Seeds.Count);
        if (common == 0) return value;
        var others = reference.Seeds.Take(common).Select(seed => seed.Figures[figure]).ToList();
        return value with { ToReference = FigureStatistics.Difference([.. numbers.Take(common)], others, IsPerplexity(figure)) };
    }

    private bool IsPerplexity(int figure) => FigureStatistics.IsPerplexity(_metrics[figure].Metric);

    private static MethodCost Cost(IReadOnlyList<MethodCost> runs) => runs[0] with
    {
        DeviceBytesPeak = runs.Max(run => run.DeviceBytesPeak),
        HostBytes = runs.Max(run => run.HostBytes),
        LinkBytesPerStep = runs.Average(run => run.LinkBytesPerStep),
        StepSeconds = BenchmarkTimer.Median([.. runs.Select(run => run.StepSeconds)]),
        Seconds = runs.Average(run => run.Seconds),
        LastLoss = runs.Average(run => run.LastLoss),
        ActiveRows = runs.All(run => run.ActiveRows is not null) ? runs.Average(run => run.ActiveRows!.Value) : null,
    };

    private static IReadOnlyList<LayerShare> Mean(IReadOnlyList<IReadOnlyList<LayerShare>> seeds) =>
        [.. seeds.SelectMany(shares => shares).GroupBy(share => share.Layer).OrderBy(layer => layer.Key).Select(layer => new LayerShare(layer.Key, layer.Average(s => s.Share)))];

    private static string Text(BenchmarkMachine machine, string device) => string.Create(
        CultureInfo.InvariantCulture,
        $"{machine.Processor}, {machine.Cores} cores, {machine.KernelThreads} threads, {machine.VectorBits}-bit vectors{Memory(machine.MemoryBytes)}; device {device}{Cards(machine, device)}; libtorch {machine.Libtorch}, {machine.Framework}");

    private static string Cards(BenchmarkMachine machine, string device) =>
        device == "cpu" || machine.Cards.Count == 0 ? "" : $" ({string.Join(", ", machine.Cards)})";

    private static string Memory(long? bytes) => bytes is { } known ? string.Create(CultureInfo.InvariantCulture, $", {known / (double)(1L << 30):0.0} GiB") : "";
}
