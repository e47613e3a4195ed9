using Meft.Core.Adapters;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;
using Meft.Core.Tokenization;

namespace Meft.Inspection;

/// <summary>Looks at models and files of tensors.</summary>
internal static class ModelInspector
{
    private const int BytesPerFloat = 4;

    /// <summary>Whether a folder has files that a model's weights may be in.</summary>
    public static bool HoldsWeights(string folder) =>
        File.Exists(Path.Combine(folder, ShardedSafetensors.SingleFileName)) || File.Exists(Path.Combine(folder, ShardedSafetensors.IndexFileName))
        || GgufFiles(folder).Length > 0;

    /// <summary>A model folder.</summary>
    public static PathReport InspectFolder(string folder, int rank)
    {
        var report = new PathReport { Kind = PathKind.Model, Path = folder };
        if (!HoldsWeights(folder)) return WithConfig(report with { Remarks = ["no weights: the folder holds the model's config alone"] }, ModelLocation.Find(folder), rank);
        // A GGUF file's own types say more than those its tensors are decoded to.
        if (GgufFiles(folder) is [var gguf] && !File.Exists(Path.Combine(folder, ShardedSafetensors.SingleFileName)))
            return WithConfig(WithGguf(report, gguf), ModelLocation.Find(folder), rank);
        using var source = ModelWeights.Open(folder);
        return WithConfig(report with { Tensors = Tensors(source) }, ModelLocation.Find(folder), rank);
    }

    /// <summary>A GGUF file, with the config beside it where there is one, else with its own.</summary>
    public static PathReport InspectGguf(string path, int rank)
    {
        return WithConfig(WithGguf(new PathReport { Kind = PathKind.Gguf, Path = path }, path), ModelLocation.Find(path), rank);
    }

    /// <summary>A safetensors file, whatever is in it.</summary>
    public static PathReport InspectSafetensors(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return new PathReport
        {
            Kind = PathKind.Safetensors,
            Path = path,
            Tensors = Tensors(file),
            Metadata = file.Metadata.Count == 0 ? null : file.Metadata,
        };
    }

    /// <summary>What a source holds, as it is stored.</summary>
    public static TensorList Tensors(ITensorSource source) =>
        new(source.Tensors.Values.Select(t => new TensorFacts(t.Name, t.DType.FileName(), t.Shape, t.ByteLength)));

    private static PathReport WithGguf(PathReport report, string path)
    {
        using var file = GgufFile.Open(path);
        var summary = GgufSummary.Of(file);
        return report with
        {
            Tensors = new TensorList(file.Tensors.Values.Select(t => new TensorFacts(t.Name, t.Type.GgmlName(), t.Shape, t.ByteLength))),
            Gguf = new GgufFacts(summary.Architecture, summary.Tokenizer, summary.HasChatTemplate),
            Metadata = file.Metadata.Entries.Where(e => e.Value is not Array).ToDictionary(e => e.Key, e => Convert.ToString(e.Value, null) ?? ""),
        };
    }

    private static PathReport WithConfig(PathReport report, ModelLocation location, int rank)
    {
        if (!location.HasConfig) return Remark(report, $"no {ModelLocation.ConfigFileName}: the model cannot be loaded");
        ModelConfig config;
        try
        {
            config = location.ReadConfig();
        }
        catch (UnknownModelException e)
        {
            // Its tensors can be looked at all the same.
            return Remark(report, $"{e.Problem}; known are {e.Allowed}");
        }
        catch (GgufException e) when (!File.Exists(location.ConfigPath))
        {
            // A foreign file, or one of tensors alone.
            return Remark(report, $"the model cannot be loaded: {e.Problem}");
        }
        report = report with { Model = Sizes(config), AdapterCost = Cost(config, rank) };
        if (!location.HasTokenizer) return Remark(report, "no tokenizer: only rows of token ids can be used");
        try
        {
            return report with { Tokenizer = Tokenizer(location, config) };
        }
        catch (GgufException e)
        {
            return Remark(report, $"the tokenizer cannot be used: {e.Problem}");
        }
    }

    private static ModelSizes Sizes(ModelConfig config) => new(
        config.Architecture, config.ParameterCount, config.LayerCount, config.HiddenSize, config.IntermediateSize, config.HeadCount,
        config.KeyValueHeadCount, config.HeadSize, config.VocabularySize, config.MaxPositions, config.SlidingWindow, config.TiedEmbeddings,
        $"{ChoiceName.Of(config.Rope.Type)}, base {config.Rope.Theta:N0}", config.StoredType is { } stored ? stored.ToString().ToLowerInvariant() : null);

    private static AdapterCost Cost(ModelConfig config, int rank)
    {
        var method = new MethodConfig { RequestedRank = rank, Experts = MethodConfig.AutoExperts(rank) };
        // A rank below 4·ceil(sqrt(R)) experts is a small one: then fewer experts than probes may be left.
        var spec = SparseAdapterSpec.From(method with { Probe = Math.Min(8, method.Experts) }, config.HiddenSize, config.LayerCount);
        var parameters = spec.ParameterCount;
        return new AdapterCost(
            spec.Rank, spec.Experts, parameters, parameters / (double)config.ParameterCount, parameters * BytesPerFloat, parameters * BytesPerFloat * 3);
    }

    private static TokenizerFacts Tokenizer(ModelLocation location, ModelConfig config)
    {
        var tokenizer = HuggingFaceTokenizer.Load(location.TokenizerPath);
        var template = ChatTemplate.TryLoad(location.ChatTemplatePath);
        return new TokenizerFacts(
            tokenizer.VocabularySize,
            [.. tokenizer.BeginTokens.Select(tokenizer.Piece)],
            [.. GenerationConfig.Read(location.Folder, config).EndTokens.Where(id => id >= 0 && id < tokenizer.VocabularySize).Select(tokenizer.Piece)],
            template is not null, TokenizerFolder.FileOf(location.TokenizerPath), template?.Source);
    }

    private static PathReport Remark(PathReport report, string remark) => report with { Remarks = [.. report.Remarks, remark] };

    private static string[] GgufFiles(string folder) => Directory.GetFiles(folder, "*.gguf");
}
