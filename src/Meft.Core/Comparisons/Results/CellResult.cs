using System.Text.Json;
using System.Text.Json.Serialization;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Statistics;
using Meft.Core.Storage;

namespace Meft.Core.Comparisons.Results;

/// <summary>
/// One training run of a comparison, judged: <c>cell.json</c>. It holds every record's numbers, so that figures, intervals and differences are made of
/// these files alone, and its facts, so that nothing is taken for what it is not.
/// </summary>
/// <param name="Facts">What the numbers depend on, by name.</param>
/// <param name="Cost">What the run cost; null for the base alone, or where the run failed.</param>
/// <param name="Figures">The numbers of each shown figure, in their order; empty where the run failed.</param>
/// <param name="DeadExperts">The share of experts that no token probed, by adapted layer.</param>
/// <param name="DeadRows">The share of neurons that were never active, by adapted layer.</param>
/// <param name="Failure">What went wrong, in a sentence; null where nothing did.</param>
/// <param name="Machine">What it was made on; null where that was not taken down.</param>
/// <param name="Version">The version of Meft that made it; null where that was not taken down.</param>
public sealed record CellResult(
    IReadOnlyDictionary<string, string> Facts, MethodCost? Cost, IReadOnlyList<FigureNumbers> Figures, IReadOnlyList<LayerShare> DeadExperts,
    IReadOnlyList<LayerShare> DeadRows, string? Failure, string? Machine = null, string? Version = null)
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "cell.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="RunFailedException">It cannot be written.</exception>
    public void Write(string folder) => AtomicFile.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>Reads the file of a folder; null where there is none, or none that can be read.</summary>
    public static CellResult? TryRead(string folder)
    {
        try
        {
            var path = Path.Combine(folder, FileName);
            return File.Exists(path) && JsonSerializer.Deserialize<CellResult>(File.ReadAllText(path), Json) is { } cell && cell.Figures.All(f => f.IsWhole) ? cell : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What a folder holds of these facts; null where it holds nothing, or the numbers of others.</summary>
    public static CellResult? Find(string folder, IReadOnlyDictionary<string, string> facts) => TryRead(folder) is { } cell && cell.Has(facts) ? cell : null;

    /// <summary>Whether two sets of facts are the same.</summary>
    public bool Has(IReadOnlyDictionary<string, string> facts) =>
        facts.Count == Facts.Count && facts.All(fact => Facts.TryGetValue(fact.Key, out var value) && value == fact.Value);
}

/// <summary>The numbers of a figure: a ratio of sums over records.</summary>
/// <param name="Clusters">Which numbers are drawn together for intervals.</param>
/// <param name="Above">What each adds above the line.</param>
/// <param name="Below">What each adds below it; null where it is 1 for all.</param>
public sealed record FigureNumbers(IReadOnlyList<int> Clusters, IReadOnlyList<double> Above, IReadOnlyList<double>? Below)
{
    /// <summary>Whether there is as much of each.</summary>
    internal bool IsWhole => Clusters.Count == Above.Count && (Below is null || Below.Count == Above.Count);

    /// <summary>Of observations.</summary>
    public static FigureNumbers Of(IReadOnlyList<Observation> observations) => new(
        [.. observations.Select(o => o.Cluster)], [.. observations.Select(o => o.Numerator)],
        observations.All(o => o.Denominator == 1) ? null : [.. observations.Select(o => o.Denominator)]);

    /// <summary>As observations.</summary>
    public IEnumerable<Observation> Observations() => Clusters.Select((cluster, i) => new Observation(cluster, Above[i], Below?[i] ?? 1));
}
