using Meft.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;
using Meft.Models;
using static TorchSharp.torch;

namespace Meft.Adapters;

/// <summary>Adapter folders of every kind that can be computed with.</summary>
public static class AdapterFiles
{
    /// <summary>Reads an adapter for a base model; its config's <c>peft_type</c> decides the kind.</summary>
    /// <param name="folder">The adapter folder.</param>
    /// <param name="baseConfig">The base it shall run beside.</param>
    /// <param name="device">Where the base computes.</param>
    /// <returns>The adapter, to be disposed by the caller.</returns>
    /// <exception cref="InvalidInputException">The folder holds no adapter of a known kind, is malformed, or does not fit the base.</exception>
    public static IDecoderAdapter Load(string folder, ModelConfig baseConfig, Device device) => AdapterFolder.KindOf(folder) switch
    {
        AdapterConfig.Kind => LoadSparse(folder, baseConfig, device),
        PeftLoraConfig.Kind => LoraFiles.Load(folder, baseConfig, device),
        var kind => throw new InvalidInputException(
            $"peft_type is {kind}", AdapterFolder.ConfigPath(folder), $"{AdapterConfig.Kind} | {PeftLoraConfig.Kind}"),
    };

    private static SparseAdapter LoadSparse(string folder, ModelConfig baseConfig, Device device)
    {
        var adapter = SparseAdapterFiles.Load(folder, baseConfig);
        try
        {
            adapter.RunOn(ExecutionKind.Auto, device, null);
            return adapter;
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }
}
