using Meft.Adapters;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Tokenization;
using Meft.Evaluation;
using Meft.Generation;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Loading;

/// <summary>
/// A model ready to compute: the decoder on its device, its tokenizer, its decoding defaults, and an adapter beside it where one was asked for.
/// </summary>
public sealed class LoadedModel : IDisposable
{
    private readonly Lazy<ChatTemplate> _chatTemplate;

    private LoadedModel(ModelLocation location, Decoder decoder, IDecoderAdapter? adapter, GenerationConfig defaults)
    {
        Location = location;
        Decoder = decoder;
        Adapter = adapter;
        Tokenizer = new TokenizerOnDemand(location.TokenizerPath);
        _chatTemplate = new(() => ChatTemplate.Load(location.ChatTemplatePath));
        Defaults = defaults;
    }

    /// <summary>Where its files lie.</summary>
    public ModelLocation Location { get; }

    /// <summary>The base model.</summary>
    public Decoder Decoder { get; }

    /// <summary>The base model's sizes and flags.</summary>
    public ModelConfig Config => Decoder.Config;

    /// <summary>What runs beside the base, or null.</summary>
    public IDecoderAdapter? Adapter { get; }

    /// <summary>
    /// The tokenizer of the model's folder, or of its GGUF file. It is read when first used: every member throws a
    /// <see cref="TokenizerFileException"/> where the folder has none.
    /// </summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>Whether the model has a tokenizer.</summary>
    public bool HasTokenizer => Location.HasTokenizer;

    /// <summary>The model's chat template, read when first asked for.</summary>
    /// <exception cref="ChatTemplateException">The folder has none, or it is not valid.</exception>
    public ChatTemplate ChatTemplate => _chatTemplate.Value;

    /// <summary>The decoding defaults of generation_config.json, with the ids that end an answer.</summary>
    public GenerationConfig Defaults { get; }

    /// <summary>What the model takes, for reading rows.</summary>
    public ModelLimits Limits => new(Config.VocabularySize, Config.MaxPositions, Config.EndTokens is [var first, ..] ? first : null);

    /// <summary>Loads a model.</summary>
    /// <param name="path">A Hugging Face folder; or a .gguf file, whose metadata count for what does not lie beside it.</param>
    /// <param name="options">Device, type, adapter; null for the defaults.</param>
    /// <param name="cancellation">Stops loading within a moment.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such model, or one of its files is missing, malformed or does not fit the others; the adapter does not fit.
    /// </exception>
    public static LoadedModel Load(string path, ModelLoadOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new ModelLoadOptions();
        NativeTorch.Load();
        var device = ComputeDevice.Parse(options.Device);
        var location = ModelLocation.Find(path);
        var config = location.ReadConfig();
        var defaults = GenerationConfig.Read(location.Folder, config);
        if (defaults.EndTokens.Count > 0 && defaults.EndTokens.All(id => id >= config.VocabularySize))
        {
            throw new InvalidInputException(
                $"eos_token_id is {string.Join(", ", defaults.EndTokens)} and vocab_size {config.VocabularySize}: no answer could end", path, "an id below vocab_size",
                File.Exists(location.ConfigPath) ? "Correct it in generation_config.json or, where that does not have it, in config.json" : "Convert the model again, or use its safetensors files");
        }
        var type = Decoder.TypeOf(options.DType, config);
        var decodeTo = type == ScalarType.BFloat16 ? TensorDType.BF16 : TensorDType.F32;
        // The adapter first: that it does not fit is known long before the weights of a large base are read.
        var adapter = options.Adapter is { } folder ? AdapterFiles.Load(folder, config, device) : null;
        Decoder? decoder = null;
        try
        {
            var weights = ModelWeights.Open(location.WeightsPath, config, decodeTo);
            int Reads(string name) => (HuggingFaceWeightNames.MayBeIgnored(name, config) ? 0 : 1) + (TiedHead.IsCompared(name, weights, config) ? 1 : 0);
            using var source = new ObservedTensorSource(weights, Reads, options.Progress, cancellation);
            if (options.Quantize == Quantization.Gguf && weights is not GgufModelSource) throw KeptBlocks.None(weights.Path);
            decoder = options.Base == BasePlacement.Streamed
                ? Decoder.LoadStreamed(source, config, device, type, options.Quantize)
                : Decoder.Load(source, config, device, type, options.Quantize);
            return new LoadedModel(location, decoder, adapter, defaults);
        }
        catch
        {
            (adapter as IDisposable)?.Dispose();
            decoder?.Dispose();
            throw;
        }
    }

    /// <summary>A scorer of this model with its adapter.</summary>
    public SequenceScorer CreateScorer() => new(Decoder, Adapter);

    /// <summary>A generator of this model with its adapter.</summary>
    public TextGenerator CreateGenerator() => new(Decoder, Adapter);

    /// <inheritdoc/>
    public void Dispose()
    {
        (Adapter as IDisposable)?.Dispose();
        Decoder.Dispose();
    }
}
