using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Models;

namespace Meft.Inspection;

/// <summary>Looks at models and files of tensors.</summary>
/// <param name="rank">R of the sparse adapter whose cost is told.</param>
/// <param name="loraRank">r of the LoRA adapter whose cost is told.</param>
internal sealed class ModelInspector(int rank, int loraRank)
{
    private const int ShownFiles = 3, MostDifferences = 5;

    /// <summary>Whether a folder has files that a model's weights may be in.</summary>
    public static bool HoldsWeights(string folder) => HasSafetensors(folder) || GgufFiles(folder).Length > 0;

    /// <summary>The names of a folder's .safetensors files that are no model by their names; for advice.</summary>
    public static string? LooseFiles(string folder)
    {
        var names = Directory.EnumerateFiles(folder, "*.safetensors").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal).ToList();
        return names.Count == 0 ? null : string.Join(", ", names.Take(ShownFiles)) + (names.Count > ShownFiles ? ", …" : "");
    }

    private static readonly string[] PickledPatterns = ["*.bin", "*.pth", "*.pt"];

    /// <summary>The name of a folder's checkpoint in PyTorch's own form; null where it has none.</summary>
    private static string? PickledFile(string folder) => PickledPatterns
        .SelectMany(pattern => Directory.EnumerateFiles(folder, pattern)).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).FirstOrDefault();

    /// <summary>A model folder.</summary>
    public PathReport InspectFolder(string folder)
    {
        var report = new PathReport { Kind = PathKind.Model, Path = folder };
        var location = ModelLocation.Find(folder);
        if (!HoldsWeights(folder))
        {
            return WithConfig(report, location, null).With(LooseFiles(folder) is { } loose
                ? $"no weights: {loose} is neither {ShardedSafetensors.SingleFileName} nor named by a {ShardedSafetensors.IndexFileName}"
                : PickledFile(folder) is { } pickled ? $"no weights that can be read: {pickled} is a pickle of PyTorch's, which may run code; convert the model to safetensors"
                : "no weights: the folder holds the model's config alone");
        }
        // A GGUF file's own types say more than those its tensors are decoded to.
        if (!HasSafetensors(folder) && GgufFiles(folder) is [var gguf]) return WithConfig(WithGguf(report, gguf), location, null);
        try
        {
            using var source = ModelWeights.Open(folder);
            return WithConfig(WithSafetensors(report, source), location, source);
        }
        catch (SafetensorsIndexException e) when (e.Shard is not null)
        {
            // As where a shard has not been downloaded: what the model is can be told.
            return WithConfig(report, location, null).With($"the model cannot be loaded: {e.MessageWithoutLocation}");
        }
    }

    /// <summary>A GGUF file, with the config beside it where there is one, else with its own.</summary>
    public PathReport InspectGguf(string path) =>
        WithConfig(WithGguf(new PathReport { Kind = PathKind.Gguf, Path = path }, path), ModelLocation.Find(path), null);

    /// <summary>A safetensors file, whatever is in it.</summary>
    public static PathReport InspectSafetensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var report = WithSafetensors(new PathReport { Kind = PathKind.Safetensors, Path = path }, file);
        var folder = Path.GetDirectoryName(path) is { Length: > 0 } named ? named : ".";
        // Beside a model's own files others may lie.
        var isOfModel = Path.GetFileName(path).StartsWith("model", StringComparison.Ordinal) && File.Exists(Path.Combine(folder, ModelLocation.ConfigFileName));
        return report.With(isOfModel ? $"a {ModelLocation.ConfigFileName} lies beside it: name its folder, {folder}, to see the model" : null);
    }

    /// <summary>What a source holds, as it is stored.</summary>
    public static TensorList Tensors(ITensorSource source) =>
        new(source.Tensors.Values.Select(t => new TensorFacts(t.Name, t.DType.FileName(), t.Shape, t.ByteLength)));

    private static PathReport WithSafetensors(PathReport report, ITensorSource source)
    {
        var files = source is ShardedSafetensors sharded ? sharded.Shards : [(SafetensorsFile)source];
        var metadata = files.Count == 1 && files[0].Metadata.Count > 0 ? files[0].Metadata : null;
        return report with { Tensors = Tensors(source), Files = [.. files.Select(FileFacts.Of).OrderBy(f => f.Name, StringComparer.Ordinal)], Metadata = metadata };
    }

    private static PathReport WithGguf(PathReport report, string path)
    {
        using var file = GgufFile.Open(path);
        var summary = SummaryOf(file, out var problem);
        return report.With(problem) with
        {
            Tensors = new TensorList(file.Tensors.Values.Select(t => new TensorFacts(t.Name, t.Type.GgmlName(), t.Shape, t.ByteLength))),
            Files = [new FileFacts(Path.GetFileName(path), file.ByteLength, file.Tensors.Count)],
            Gguf = summary is null ? null : new GgufFacts(file.Version, summary.Architecture, summary.Tokenizer, summary.HasChatTemplate),
            Metadata = file.Metadata.Entries.ToDictionary(
                e => e.Key, e => e.Value is Array values ? $"[{values.Length} values]" : Convert.ToString(e.Value, null) ?? ""),
        };
    }

    /// <summary>Adds what the config says, and whether the weights bear it out.</summary>
    /// <param name="report">The report so far.</param>
    /// <param name="location">Where the model lies.</param>
    /// <param name="source">Its weights where they are open; null: they are opened where there are any.</param>
    private PathReport WithConfig(PathReport report, ModelLocation location, ITensorSource? source)
    {
        if (!location.HasConfig) return report.With($"no {ModelLocation.ConfigFileName}: the model cannot be loaded");
        ModelConfig config;
        try
        {
            config = location.ReadConfig();
        }
        catch (UnsupportedModelException e)
        {
            // Its tensors can be looked at all the same.
            return report.With($"the model cannot be loaded: {e.MessageWithoutLocation}");
        }
        catch (InvalidInputException e) when (e is GgufException || !File.Exists(location.ConfigPath))
        {
            // A foreign file, or one of tensors alone.
            return report.With($"the model cannot be loaded: {(e is GgufException { Name: { } key } ? $"{key}: " : "")}{e.Problem}");
        }
        var costs = AdapterCostPlan.Of(config, rank, loraRank);
        report = TokenizerInspector.Add(report with { Model = ModelSizes.Of(config), AdapterCosts = costs }, location, config);
        if (costs is null) report = report.With("the sizes are too large to say what an adapter would add");
        return report.Tensors is null ? report : report.With(source is null ? GgufProblem(location, config) : Misfit(source, config));
    }

    /// <summary>What the metadata hold; null where they are not of their types.</summary>
    private static GgufSummary? SummaryOf(GgufFile file, out string? problem)
    {
        try
        {
            problem = null;
            return GgufSummary.Of(file);
        }
        catch (GgufException e)
        {
            problem = e.Message;
            return null;
        }
    }

    private static string? GgufProblem(ModelLocation location, ModelConfig config)
    {
        try
        {
            using var source = ModelWeights.Open(location.WeightsPath, config, TensorDType.F32);
            return Misfit(source, config);
        }
        catch (InvalidInputException e)
        {
            return $"the model cannot be loaded: {e.Message}";
        }
    }

    private static string? Misfit(ITensorSource source, ModelConfig config) =>
        WeightsDifference.Between(source, config) is { } difference ? $"the model cannot be loaded: {difference.Told(MostDifferences)}" : null;

    private static bool HasSafetensors(string folder) =>
        File.Exists(Path.Combine(folder, ShardedSafetensors.SingleFileName)) || File.Exists(Path.Combine(folder, ShardedSafetensors.IndexFileName));

    private static string[] GgufFiles(string folder) => Directory.GetFiles(folder, "*.gguf");
}
