using Meft.Adapters;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Loading;

namespace Meft.Training.Runs;

/// <summary>What a run is a run of: its files by their hashes, its base, its method. Other files make another run of it.</summary>
/// <param name="config">The run's config.</param>
/// <param name="model">The base as it was loaded.</param>
internal sealed class RunIdentity(RunConfig config, LoadedModel model)
{
    /// <summary>The manifest of a run that begins now; reads the files anew.</summary>
    /// <param name="execution">How the run is carried out.</param>
    public RunManifest Manifest(ExecutionKind execution) => new()
    {
        Seed = config.Seed,
        Device = model.Decoder.Device.ToString(),
        Execution = config.Method.Kind == MethodKind.Meft ? ChoiceName.Of(execution) : null,
        Model = ModelFiles().ToDictionary(f => Path.GetFileName(f), RunManifest.HashOf),
        Data = config.Data.Train.Concat(config.Data.Validation).Distinct().ToDictionary(f => f, RunManifest.HashOf),
        Template = TemplateHash(model),
        Init = config.Method.Init is { } init ? RunManifest.HashOf(Path.Combine(init, SparseAdapterFiles.WeightsFileName)) : null,
    };

    /// <summary>Whose the run's checkpoints are.</summary>
    public CheckpointOwner Owner(RunManifest manifest) => new(
        ChoiceName.Of(config.Method.Kind), config.Method.Kind == MethodKind.Full ? null : config.Method.Rank,
        TrainedParameters.Of(config.Method, model.Config).Layers, config.Model,
        RunManifest.HashOfText(string.Join('\n', manifest.Model.Select(f => $"{f.Key} {f.Value}").Order(StringComparer.Ordinal))), config.Seed);

    /// <summary>What an adapter's file says of the base that it was trained on.</summary>
    public static AdapterIdentity OfAdapter(LoadedModel model) =>
        new(model.Location.WeightsPath, BaseFingerprint.Of(model.Config), TemplateHash(model));

    /// <summary>Config, weights, and what shapes the rows' tokens: the tokenizer's files and the chat template.</summary>
    private IEnumerable<string> ModelFiles()
    {
        string[] weights = File.Exists(model.Location.WeightsPath)
            ? [model.Location.WeightsPath]
            : [.. Directory.EnumerateFiles(model.Location.Folder, "*.safetensors"), .. Directory.EnumerateFiles(model.Location.Folder, "*.gguf")];
        return weights.Concat(new[] { model.Location.ConfigPath }.Where(File.Exists)).Concat(TokenizerFiles.In(model.Location.Folder)).Order(StringComparer.Ordinal);
    }

    private static string? TemplateHash(LoadedModel model) =>
        ChatTemplate.TryLoad(model.Location.ChatTemplatePath) is { } template ? RunManifest.HashOfText(template.Text) : null;
}
