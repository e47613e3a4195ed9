using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using Meft.Native;
using Meft.TestSupport;
using TorchSharp;

namespace Meft.Cli.Tests;

/// <summary>Writes small random models and adapters, so that verbs can be tried without any asset.</summary>
internal static class SampleModel
{
    public const int MaxPositions = 16;

    /// <summary>A tokenizer of single letters, and of "ab" merged.</summary>
    public const string Tokenizer = """
        {
          "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
          "added_tokens": [{"id": 4, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
          "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}
        }
        """;

    private static readonly ModelConfig Config = new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = 5,
        HiddenSize = 16,
        IntermediateSize = 24,
        LayerCount = 2,
        HeadCount = 2,
        KeyValueHeadCount = 1,
        HeadSize = 8,
        MaxPositions = MaxPositions,
        InitializerRange = 0.5,
        EndTokens = [4],
    };

    static SampleModel() => NativeTorch.Load();

    /// <summary>Writes a model with its tokenizer; returns its folder.</summary>
    public static string Write(TemporaryFolder parent, string name = "model", bool tokenizer = true)
    {
        var folder = parent.File(name);
        using var decoder = Decoder.Initialize(Config, 3, torch.CPU, torch.float32);
        decoder.Save(folder);
        if (tokenizer) parent.Write(Path.Combine(name, "tokenizer.json"), Tokenizer);
        return folder;
    }

    /// <summary>Writes a LoRA adapter on all layers that changes what a model computes; returns its folder.</summary>
    public static string WriteLora(TemporaryFolder parent, string name = "lora")
    {
        var settings = new LoraSettings { Rank = 2, Alpha = 6, Targets = new TargetSelection.Named(["q_proj", "down_proj"]) };
        using var adapter = new LoraAdapter(settings.Resolve(Config), torch.CPU).Initialize(5);
        using var noGradients = torch.no_grad();
        foreach (var (parameter, tensor) in adapter.Parameters)
        {
            if (parameter.Contains("lora_B", StringComparison.Ordinal)) tensor.fill_(0.7);
        }
        LoraFiles.Save(adapter, PeftLoraConfig.Create(settings, "model"), parent.File(name));
        return parent.File(name);
    }

    /// <summary>Writes an adapter on all layers that changes what a model computes; returns its folder.</summary>
    public static string WriteAdapter(TemporaryFolder parent, int hiddenSize = 16)
    {
        var folder = parent.File("adapter");
        using var adapter = new SparseAdapter(new SparseAdapterSpec(8, hiddenSize, 2, 1, 4, GateKind.Linear, [0, 1])).Initialize(5);
        foreach (var (_, store) in adapter.Stores)
            for (var row = 0; row < store.Values.Rows; row++)
                store.Values.Weights.Row(row).Fill(2);
        SparseAdapterFiles.Save(adapter, new AdapterIdentity("model", BaseFingerprint.Of(Config with { HiddenSize = hiddenSize }), null), folder);
        return folder;
    }
}
