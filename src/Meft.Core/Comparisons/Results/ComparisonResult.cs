using System.Text.Json.Serialization;
using Meft.Core.Configuration;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Statistics;

namespace Meft.Core.Comparisons.Results;

/// <summary>What a comparison came to, or has so far: <c>compare.json</c>. Bytes are bytes, times are seconds.</summary>
public sealed record ComparisonResult
{
    /// <summary>The version of Meft that wrote it.</summary>
    public required string Version { get; init; }

    /// <summary>Processor, threads, memory and device, in a line.</summary>
    public required string Machine { get; init; }

    /// <summary>The config file's name.</summary>
    public required string Config { get; init; }

    /// <summary>The base model's folder or file name.</summary>
    public required string Model { get; init; }

    /// <summary>Parameters of the base.</summary>
    public required long BaseParameters { get; init; }

    /// <summary>The budget of device memory that the methods are planned for; null for none.</summary>
    public required long? DeviceBudget { get; init; }

    /// <summary>Rows that each method trains on.</summary>
    public required int TrainingRows { get; init; }

    /// <summary>The seeds, in order.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>The figures that are shown, in order; the first is the score.</summary>
    public required IReadOnlyList<ShownFigure> Figures { get; init; }

    /// <summary>Which of <see cref="Figures"/> tell what was learnt: the score, and all that are not of old knowledge.</summary>
    [JsonIgnore]
    public IReadOnlyList<int> Learnt => [.. Enumerable.Range(0, Figures.Count).Where(i => i == 0 || !Figures[i].IsOldKnowledge)];

    /// <summary>The base alone: a value for each of <see cref="Figures"/>; null where it was not reached yet.</summary>
    public required IReadOnlyList<FigureValue>? Before { get; init; }

    /// <summary>Whether there is a figure of the base or of a method yet.</summary>
    [JsonIgnore]
    public bool IsJudged => Before is not null || Methods.Any(m => m.Figures is not null);

    /// <summary>How many records, or groups of them, each of <see cref="Figures"/> is of; null where that is not known yet.</summary>
    public IReadOnlyList<int>? Records { get; init; }

    /// <summary>The method that the others are compared with; null for none.</summary>
    public required string? Reference { get; init; }

    /// <summary>The methods, in order.</summary>
    public required IReadOnlyList<MethodResult> Methods { get; init; }

    /// <summary>What the methods' costs were measured on, each machine once, in the order of the methods.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> CostMachines =>
        [.. Methods.Where(m => m.Cost is not null).Select(m => m.CostMachine ?? NotTakenDown).Distinct(StringComparer.Ordinal)];

    /// <summary>What stands for a machine or a version that was not taken down.</summary>
    public const string NotTakenDown = "one that was not taken down";

    /// <summary>Whether nothing is left to do.</summary>
    public required bool IsComplete { get; init; }

    /// <summary>The result as one JSON document, names in snake_case; numbers that are not finite are the strings <c>"NaN"</c>, <c>"Infinity"</c>, <c>"-Infinity"</c>.</summary>
    public string ToJson() => ComparisonJson.Write(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The document.</param>
    /// <param name="path">Where it was read from, for the error.</param>
    /// <exception cref="Errors.InvalidInputException">It is not JSON, or no result of a comparison.</exception>
    public static ComparisonResult Parse(string json, string path) => ComparisonJson.Read(json, path);
}

/// <summary>What a column of figures is.</summary>
/// <param name="Label">Its heading.</param>
/// <param name="Task">The task.</param>
/// <param name="Unit">How values are to be read.</param>
/// <param name="HigherIsBetter">False for perplexity and negative log-likelihood.</param>
/// <param name="IsOldKnowledge">Whether it tells of forgetting.</param>
public sealed record ShownFigure(string Label, string Task, MetricUnit Unit, bool HigherIsBetter, bool IsOldKnowledge);

/// <summary>A figure.</summary>
/// <param name="Value">The mean over seeds.</param>
/// <param name="Interval">Its 95 % interval over records, each record's number being the mean over seeds; null where there is none.</param>
/// <param name="PerSeed">The value of each seed, in the order of the seeds; one for the base.</param>
/// <param name="ToReference">Value less the reference's, with the paired interval over the same records; null where there is no reference or it is this one.</param>
public sealed record FigureValue(double Value, ConfidenceInterval? Interval, IReadOnlyList<double> PerSeed, FigureDifference? ToReference);

/// <summary>A difference of two figures on the same questions.</summary>
/// <param name="Value">The difference.</param>
/// <param name="Interval">Its 95 % interval over records, paired; null where there is none.</param>
public sealed record FigureDifference(double Value, ConfidenceInterval? Interval);

/// <summary>A method's row.</summary>
public sealed record MethodResult
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its folder's name.</summary>
    public required string Id { get; init; }

    /// <summary>What is trained.</summary>
    public required MethodKind Kind { get; init; }

    /// <summary>Neurons a layer, LoRA's r; null for full fine-tuning.</summary>
    public required int? Rank { get; init; }

    /// <summary>Trained parameters.</summary>
    public required long Parameters { get; init; }

    /// <summary>Why it does not fit the memory there is, in a sentence; null where it does.</summary>
    public required string? DoesNotFit { get; init; }

    /// <summary>How much of AdamW's first moment a step keeps (beta1); null where that is not known.</summary>
    public double? Beta1 { get; init; }

    /// <summary>Planned bytes of device memory, as the ledger counts them.</summary>
    public required long PlannedDeviceBytes { get; init; }

    /// <summary>Planned bytes of host memory that the method holds.</summary>
    public required long PlannedHostBytes { get; init; }

    /// <summary>The rate it is trained with; null where it is not known yet.</summary>
    public required double? LearningRate { get; init; }

    /// <summary>Whether the rate, or the best one tried, is at an end of what was tried, so that a better one may lie beyond.</summary>
    public required bool IsRateAtEdge { get; init; }

    /// <summary>The rates that were tried on the held-out split, ascending; empty where the config says the rate.</summary>
    public required IReadOnlyList<GridPoint> Grid { get; init; }

    /// <summary>What the runs cost, over those seeds that were run on <see cref="CostMachine"/>; null where none is done.</summary>
    public required MethodCost? Cost { get; init; }

    /// <summary>What the costs were measured on, where seeds were run on several machines the one of most of them; null where that was not taken down, or nothing is done.</summary>
    public string? CostMachine { get; init; }

    /// <summary>A value for each figure over those seeds that are done; null where none is.</summary>
    public required IReadOnlyList<FigureValue>? Figures { get; init; }

    /// <summary>The share of experts that no token probed in the whole run, by adapted layer, mean over seeds; empty where there are none.</summary>
    public required IReadOnlyList<LayerShare> DeadExperts { get; init; }

    /// <summary>The share of neurons that were never active, by adapted layer, mean over seeds; empty where there are none.</summary>
    public required IReadOnlyList<LayerShare> DeadRows { get; init; }

    /// <summary>What went wrong in training, in a sentence; null where nothing did.</summary>
    public required string? Failure { get; init; }

    /// <summary>How it stands.</summary>
    [JsonIgnore]
    public MethodState State => DoesNotFit is not null ? MethodState.DoesNotFit
        : Figures is not null ? MethodState.Measured
        : Failure is not null ? MethodState.Failed
        : MethodState.Waiting;
}

/// <summary>A rate of the grid.</summary>
/// <param name="LearningRate">The rate.</param>
/// <param name="Score">What it reached on the held-out split; null where the run failed or is not done.</param>
/// <param name="Failure">What went wrong, in a sentence; null where nothing did.</param>
public sealed record GridPoint(double LearningRate, double? Score, string? Failure);

/// <summary>A share of a layer.</summary>
/// <param name="Layer">Its index.</param>
/// <param name="Share">The share.</param>
public sealed record LayerShare(int Layer, double Share);

/// <summary>What a method's runs cost.</summary>
/// <param name="DeviceBytesPeak">The most device bytes that the ledger counted in any run.</param>
/// <param name="HostBytes">Bytes of host memory of what is trained, with moments and gradients.</param>
/// <param name="LinkBytesPerStep">Bytes that crossed between host and device, mean over steps.</param>
/// <param name="StepSeconds">Seconds of a step, median over steps and seeds.</param>
/// <param name="Steps">Steps of one run.</param>
/// <param name="Tokens">Tokens of one run.</param>
/// <param name="TrainedTokens">Tokens of one run that the loss counted.</param>
/// <param name="Seconds">Seconds of training, mean over seeds.</param>
/// <param name="LastLoss">Mean loss of the last tenth of the steps, mean over seeds.</param>
/// <param name="ActiveRows">Share of R that a step computed, mean over steps; null where there are no rows.</param>
public sealed record MethodCost(
    long DeviceBytesPeak, long HostBytes, double LinkBytesPerStep, double StepSeconds, int Steps, long Tokens, long TrainedTokens,
    double Seconds, double LastLoss, double? ActiveRows);
