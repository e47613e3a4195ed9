using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Loading;

/// <summary>Makes a model of its own from a base and its LoRA adapter.</summary>
public static class MergedModel
{
    /// <summary>Refuses an adapter that cannot be merged; known before any weight is read.</summary>
    /// <exception cref="InvalidInputException">The folder holds none, or a sparse one.</exception>
    public static void RequireMergeable(string adapterFolder)
    {
        var kind = AdapterFolder.KindOf(adapterFolder);
        if (kind == PeftLoraConfig.Kind) return;
        throw new InvalidInputException(
            kind == AdapterConfig.Kind
                ? "a sparse adapter cannot be merged: which of its neurons are active differs from token to token, so no base weights compute the same"
                : $"an adapter of peft_type {kind} cannot be merged",
            adapterFolder, $"an adapter of peft_type {PeftLoraConfig.Kind}", "keep the adapter beside its base: generate, chat, score and eval take --adapter");
    }

    /// <summary>
    /// Merges a model's LoRA adapter into its weights and writes the result as a Hugging Face folder, in the weights' own type, with the tokenizer's
    /// files. The folder is complete or not there.
    /// </summary>
    /// <param name="model">A model with a LoRA adapter. Its weights are the merged ones afterwards: it is of no more use but to be disposed.</param>
    /// <param name="folder">The new folder.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such adapter; something stands at the folder's place; or the tokenizer is in a GGUF file alone.
    /// </exception>
    /// <exception cref="RunFailedException">Merged weights are not finite, or the folder cannot be written.</exception>
    public static void Write(LoadedModel model, string folder)
    {
        if (model.Adapter is not LoraAdapter adapter) throw new InvalidInputException("the model has no LoRA adapter to merge");
        if (model.Decoder.Quantization != Quantization.None)
            throw new InvalidInputException("the base is quantised, and an adapter is merged into the weights themselves", null, "a base that is loaded without quantize");
        AtomicFolder.RequireFree(folder);
        model.Location.RequireTokenizerFiles();
        LoraMerge.Into(model.Decoder, adapter);
        AtomicFolder.Write(folder, temporary =>
        {
            model.Decoder.Save(temporary);
            TokenizerFiles.Copy(model.Location.Folder, temporary);
        });
    }
}
