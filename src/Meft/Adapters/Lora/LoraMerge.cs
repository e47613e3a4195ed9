using Meft.Core.Errors;
using Meft.Models;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Adapters.Lora;

/// <summary>Puts a LoRA adapter into its base.</summary>
public static class LoraMerge
{
    /// <summary>W ← W + scale·B·A for every adapted map; the sum is made in float32 and rounded to the base's type once.</summary>
    /// <param name="decoder">The base, on the adapter's device; it computes afterwards what it computed with the adapter.</param>
    /// <param name="adapter">The adapter; stays as it is.</param>
    /// <exception cref="RunFailedException">A merged weight is not finite; the maps before it are merged already.</exception>
    public static void Into(Decoder decoder, LoraAdapter adapter)
    {
        using var noGradients = no_grad();
        foreach (var map in adapter.Maps)
        {
            using var scope = NewDisposeScope();
            var weight = decoder.Parameters[$"{map.Spec.Module.FullName}.weight"];
            var merged = weight.Plus(map.Product()).to(weight.dtype);
            if (!merged.isfinite().all().item<bool>())
            {
                throw new RunFailedException(
                    $"the merged weights of {map.Spec.Module.FullName} hold numbers that are not finite", null, null,
                    "check the adapter for such numbers, or merge in a wider type (--dtype)");
            }
            weight.copy_(merged);
        }
    }
}
