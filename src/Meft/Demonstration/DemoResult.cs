using System.Globalization;
using Meft.Benchmarking;
using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Core.Metrics;

namespace Meft.Demonstration;

/// <summary>A method of a demonstration with what it came to.</summary>
internal sealed record TaughtMethod
{
    /// <summary>The method.</summary>
    public required DemoMethod Method { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes that a step holds on the device.</summary>
    public required long DeviceBytes { get; init; }

    /// <summary>Bytes that it holds on the host.</summary>
    public required long HostBytes { get; init; }

    /// <summary>Its highest rate; null where it is not trained.</summary>
    public double? Rate { get; init; }

    /// <summary>Whether the rate is at the end of those tried.</summary>
    public bool IsRateAtEdge { get; init; }

    /// <summary>The rates that were tried.</summary>
    public IReadOnlyList<GridPoint> Grid { get; init; } = [];

    /// <summary>Why it does not fit; null where it does.</summary>
    public string? DoesNotFit { get; init; }

    /// <summary>What training cost; null where there was none.</summary>
    public MethodCost? Cost { get; init; }

    /// <summary>The numbers of each figure; null where it is not trained.</summary>
    public IReadOnlyList<FigureNumbers>? Numbers { get; init; }

    /// <summary>How experts and neurons were used; null for methods without them.</summary>
    public ExpertLoad? Load { get; init; }
}

/// <summary>Sums up a demonstration as a comparison.</summary>
/// <param name="options">Its sizes.</param>
/// <param name="baseParameters">Parameters of the base.</param>
/// <param name="before">The base's numbers of each figure.</param>
internal sealed class DemoResult(DemoOptions options, long baseParameters, IReadOnlyList<FigureNumbers> before)
{
    private readonly List<TaughtMethod> _methods = [];

    /// <summary>The base's figures.</summary>
    public IReadOnlyList<FigureValue> Before { get; } = [.. before.Select(numbers => FigureStatistics.Of([numbers], null, isPerplexity: false))];

    /// <summary>A method is done.</summary>
    public void Add(TaughtMethod method) => _methods.Add(method);

    /// <summary>All of it.</summary>
    public ComparisonResult Comparison()
    {
        var machine = BenchmarkMachine.Read();
        var reference = _methods[options.Reference];
        return new ComparisonResult
        {
            Version = machine.Meft,
            Machine = string.Create(CultureInfo.InvariantCulture, $"{machine.Processor}, {machine.KernelThreads} threads, {machine.VectorBits}-bit vectors; device cpu"),
            Config = "meft demo",
            Model = "a base trained from scratch",
            BaseParameters = baseParameters,
            DeviceBudget = options.DeviceBudget,
            TrainingRows = options.Newcomers * Words.FactKinds.Count,
            Seeds = [(long)options.Seed],
            Figures = Examination.Figures,
            Before = Before,
            Reference = reference.Numbers is null ? null : reference.Method.Name,
            Methods = [.. _methods.Select(method => Row(method, reference))],
            IsComplete = true,
        };
    }

    private static MethodResult Row(TaughtMethod taught, TaughtMethod reference) => new()
    {
        Name = taught.Method.Name,
        Id = taught.Method.Id,
        Kind = taught.Method.Kind,
        Rank = taught.Method.Rank,
        Parameters = taught.Parameters,
        Beta1 = OptimizerConfig.For(taught.Method.Kind).Betas.Beta1,
        DoesNotFit = taught.DoesNotFit,
        PlannedDeviceBytes = taught.DeviceBytes,
        PlannedHostBytes = taught.HostBytes,
        LearningRate = taught.Rate,
        IsRateAtEdge = taught.IsRateAtEdge,
        Grid = taught.Grid,
        Cost = taught.Cost,
        Figures = taught.Numbers is null ? null
            : [.. taught.Numbers.Select((numbers, i) => FigureStatistics.Of(
                [numbers], taught == reference || reference.Numbers is null ? null : [reference.Numbers[i]], isPerplexity: false))],
        DeadExperts = [.. (taught.Load?.Layers ?? []).Where(l => l.ExpertTokens.Count > 0).Select(l => new LayerShare(l.Layer, (double)l.DeadExperts / l.ExpertTokens.Count))],
        DeadRows = [.. (taught.Load?.Layers ?? []).Select(l => new LayerShare(l.Layer, (double)l.DeadRows / l.Rank))],
        Failure = null,
    };
}
