using Meft.Core.Comparisons.Results;
using Meft.Core.Configuration;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Statistics;

namespace Meft.TestSupport.Comparisons;

/// <summary>Results of comparisons that never were, with numbers such as one meets, for the tests of tables and pages.</summary>
public static class SampleComparisons
{
    private const long MiB = 1 << 20, Budget = 1 << 30;

    /// <summary>Eight methods with three seeds on facts, a grid for each: one does not fit, one rate is at the end of its grid.</summary>
    public static ComparisonResult Facts() => Of(
    [
        Method("LoRA r = 8", MethodKind.Lora, 8, 2_442_240, 331, 0.473, 0.251, 23.4),
        Method("LoRA r = 64", MethodKind.Lora, 64, 19_537_920, 352, 0.502, 0.862, 31.9) with { IsRateAtEdge = true },
        Method("parallel R = 1,024", MethodKind.Parallel, 1024, 17_694_720, 498, 0.688, 0.264, 24.9),
        Method("parallel R = 4,096", MethodKind.Parallel, 4096, 70_778_880, 853, 1.596, 0.417, 27.8),
        Method("MEFT R = 4,096", MethodKind.Meft, 4096, 72_990_720, 313, 0.531, 0.914, 25.2),
        Method("MEFT R = 16,384", MethodKind.Meft, 16384, 287_539_200, 313, 0.618, 0.957, 24.6),
        Method("MEFT R = 65,536", MethodKind.Meft, 65536, 1_141_309_440, 314, 0.717, 0.968, 24.3),
        TooLarge("all weights", MethodKind.Full, null, 134_515_008, 2310),
    ]);

    /// <summary>One method, one seed, no grid, no reference.</summary>
    public static ComparisonResult One()
    {
        var method = Method("MEFT", MethodKind.Meft, 1024, 18_800_640, 313, 0.477, 0.801, 25.0);
        return Of([method with { Grid = [], Figures = [.. method.Figures!.Select(f => f with { PerSeed = [f.Value], ToReference = null })] }]) with
        {
            Seeds = [0],
            Reference = null,
            DeviceBudget = null,
        };
    }

    /// <summary>Eight methods of which none has begun.</summary>
    public static ComparisonResult NothingYet()
    {
        var facts = Facts();
        return facts with
        {
            Before = null,
            IsComplete = false,
            Methods = [.. facts.Methods.Select(m => m with { Figures = null, Cost = null, LearningRate = null, IsRateAtEdge = false, Grid = [], DeadExperts = [], DeadRows = [] })],
        };
    }

    /// <summary>In the middle: one method is measured in part, one failed, some wait.</summary>
    public static ComparisonResult HalfWay()
    {
        var facts = Facts();
        var methods = facts.Methods.ToArray();
        methods[1] = methods[1] with { Figures = [.. methods[1].Figures!.Select(f => f with { PerSeed = [.. f.PerSeed.Take(2)] })] };
        methods[3] = methods[3] with { Figures = null, Cost = null, Failure = "the loss of step 31 is not finite in seed 0" };
        for (var i = 5; i < 7; i++)
            methods[i] = methods[i] with { Figures = null, Cost = null, LearningRate = null, Grid = [.. methods[i].Grid.Select(g => g with { Score = null })], DeadExperts = [], DeadRows = [] };
        return facts with { Methods = methods, IsComplete = false };
    }

    /// <summary>Fourteen methods, many of them close to one another, with long names and characters that markup knows.</summary>
    public static ComparisonResult Many() => Of(
    [
        .. Enumerable.Range(0, 5).Select(i => Method(
            $"LoRA r = {4 << i} on all linear layers", MethodKind.Lora, 4 << i, 1_221_120L << i, 329 + (4 * i), 0.47 + (0.01 * i), 0.2 + (0.16 * i), 23.2 + (1.7 * i))),
        Method("parallel R = 1,024", MethodKind.Parallel, 1024, 17_694_720, 498, 0.688, 0.264, 24.9),
        Method("parallel R = 4,096", MethodKind.Parallel, 4096, 70_778_880, 853, 1.596, 0.417, 27.8),
        Method("MEFT R = 1,024, k = 32", MethodKind.Meft, 1024, 18_800_640, 313, 0.477, 0.801, 25.0),
        Method("MEFT R = 4,096, k = 64", MethodKind.Meft, 4096, 72_990_720, 313, 0.531, 0.914, 25.2),
        Method("MEFT R = 4,096, k = 64, softmax gate", MethodKind.Meft, 4096, 72_990_720, 313, 0.534, 0.08, 22.9),
        Method("MEFT R = 4,096, k = 64, touched & <idle> rows", MethodKind.Meft, 4096, 72_990_720, 313, 0.529, 0.903, 25.1),
        Method("MEFT R = 16,384, k = 64", MethodKind.Meft, 16384, 287_539_200, 313, 0.618, 0.957, 24.6),
        Method("MEFT R = 65,536, k = 64", MethodKind.Meft, 65536, 1_141_309_440, 314, 0.717, 0.968, 24.3),
        TooLarge("all weights", MethodKind.Full, null, 134_515_008, 2310),
    ]);

    private static ComparisonResult Of(IReadOnlyList<MethodResult> methods) => new()
    {
        Version = "0.1.0",
        Machine = "AMD EPYC 9965, 2 threads, AVX-512, 30 GiB of memory, cpu",
        Config = "compare-facts.yaml",
        Model = "smollm2-135m-instruct",
        BaseParameters = 134_515_008,
        DeviceBudget = Budget,
        TrainingRows = 1000,
        Seeds = [0, 1, 2],
        Figures =
        [
            new("efficacy", "counterfact", MetricUnit.Share, true, false),
            new("generalisation", "counterfact", MetricUnit.Share, true, false),
            new("neighbours", "counterfact", MetricUnit.Share, true, true),
            new("wikitext2 perplexity", "perplexity", MetricUnit.Number, false, true),
        ],
        Before = [Value(0.006, 0.004, 1, null), Value(0.008, 0.004, 1, null), Value(0.14, 0.012, 1, null), Value(22.1, 2.1, 1, null)],
        Reference = methods.FirstOrDefault(m => m.Figures?[0].ToReference is null)?.Name,
        Methods = methods,
        IsComplete = true,
    };

    private static MethodResult Method(string name, MethodKind kind, int? rank, long parameters, long deviceMiB, double seconds, double score, double perplexity)
    {
        var isReference = name.StartsWith("LoRA r = 8", StringComparison.Ordinal);
        var best = kind == MethodKind.Parallel ? 2e-3 : 1e-3;
        double[] rates = [5e-4, 1e-3, 2e-3, 4e-3];
        return new MethodResult
        {
            Name = name,
            Id = new string([.. name.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit)]),
            Kind = kind,
            Rank = rank,
            Parameters = parameters,
            DoesNotFit = null,
            PlannedDeviceBytes = (deviceMiB + 6) * MiB,
            PlannedHostBytes = parameters * 16,
            LearningRate = best,
            IsRateAtEdge = false,
            Grid = [.. rates.Select(r => r > 3e-3 && kind == MethodKind.Lora
                ? new GridPoint(r, null, "the loss of step 12 is not finite") : new GridPoint(r, Math.Round(score * (1 - (0.18 * Math.Pow(Math.Log2(r / best), 2) / 2)), 4), null))],
            Cost = new MethodCost(
                deviceMiB * MiB, parameters * 16, kind == MethodKind.Meft ? 31.4 * MiB * Math.Sqrt(rank!.Value / 4096.0) : 0, seconds, 192,
                117_390, 21_000, seconds * 192, 0.4, kind == MethodKind.Meft ? 0.31 : null),
            Figures =
            [
                Value(score, 0.02, 3, isReference ? null : score - 0.251), Value(0.05 + (score * 0.15), 0.015, 3, isReference ? null : score * 0.1),
                Value(0.14 - (score * 0.05), 0.012, 3, null), Value(perplexity, 2.2, 3, null),
            ],
            DeadExperts = kind == MethodKind.Meft ? [.. Enumerable.Range(15, 15).Select(i => new LayerShare(i, i % 4 * rank!.Value / 400_000.0))] : [],
            DeadRows = kind == MethodKind.Meft ? [.. Enumerable.Range(15, 15).Select(i => new LayerShare(i, Math.Min(1, (i - 10) * Math.Sqrt(rank!.Value) / 6000)))] : [],
            Failure = null,
        };
    }

    private static MethodResult TooLarge(string name, MethodKind kind, int? rank, long parameters, long deviceMiB) => Method(name, kind, rank, parameters, deviceMiB, 1, 0.5, 20) with
    {
        DoesNotFit = "it needs 2.26 GiB of device memory and budget.device is 1 GiB (most of it trained parameters 0.5 GiB, moments 1 GiB)",
        LearningRate = null,
        Grid = [],
        Cost = null,
        Figures = null,
    };

    private static FigureValue Value(double value, double half, int seeds, double? difference) => new(
        value, new ConfidenceInterval(value - half, value + (half * 0.9)), [.. Enumerable.Range(0, seeds).Select(s => value + ((s - (seeds / 2)) * half / 3))],
        difference is { } d ? new FigureDifference(d, new ConfidenceInterval(d - half, d + half)) : null);
}
