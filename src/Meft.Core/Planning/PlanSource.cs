using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Data.Store;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Tokenization;

namespace Meft.Core.Planning;

/// <summary>What a plan is made from: the model's config.json, and the rows where they can be read. No weights are needed.</summary>
/// <param name="Location">Where the model lies.</param>
/// <param name="Model">Its sizes.</param>
/// <param name="Rows">The rows to train on; null where they, or a tokenizer that they need, are not there.</param>
/// <param name="Work">The micro-batches.</param>
public sealed record PlanSource(ModelLocation Location, ModelConfig Model, TokenDataset? Rows, Workload Work)
{
    /// <summary>What the base takes where it is quantised; null where it is not.</summary>
    public QuantizedBase? Quantized { get; init; }

    /// <summary>Reads what there is.</summary>
    /// <exception cref="InvalidInputException">There is no such model, its config.json is wrong, or a row that is there cannot be used.</exception>
    public static PlanSource Read(RunConfig config)
    {
        var location = ModelLocation.Find(config.Model);
        var model = location.ReadConfig();
        if (config.Method.Kind == MethodKind.Full) location.RequireTokenizerFiles(); // what is trained is saved as a model of its own
        var (rows, reason) = ReadRows(config, location, model);
        var work = rows is null ? Workload.Assumed(config, model, reason!) : Workload.Of(config, rows);
        return new PlanSource(location, model, rows, work)
        {
            Quantized = QuantizedBase.Of(config.Quantize, location, model, BaseWeights.WidthOf(config.DType, model)),
        };
    }

    /// <summary>What the model takes, for reading rows.</summary>
    public static ModelLimits LimitsOf(ModelConfig model) =>
        new(model.VocabularySize, model.MaxPositions, model.EndTokens is [var first, ..] ? first : null);

    private static (TokenDataset? Rows, string? Reason) ReadRows(RunConfig config, ModelLocation location, ModelConfig model)
    {
        if (config.Data.Train.FirstOrDefault(f => !File.Exists(f)) is { } missing) return (null, $"{Path.GetFileName(missing)} is not there");
        try
        {
            return (TokenDataset.Load(config.Data.Train, config.Data, new TokenizerOnDemand(location.TokenizerPath), LimitsOf(model), () => ChatTemplate.Load(location.ChatTemplatePath), RowCache.OfUser(location)), null);
        }
        catch (InvalidInputException e) when (e is TokenizerFileException or GgufException && !location.HasTokenizer)
        {
            return (null, $"the model has no {HuggingFaceTokenizer.FileName}, nor another tokenizer, to read the rows with");
        }
    }
}
