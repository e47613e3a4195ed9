using Meft.Core.Errors;

namespace Meft.Models;

/// <summary>A checkpoint's tensors are not those that its config.json asks for; everything that differs is listed at once, layers that differ alike together.</summary>
public sealed class WeightsMismatchException : InvalidInputException
{
    internal WeightsMismatchException(string path, WeightsDifference difference)
        : base(difference.ToString(), path, null, path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
            ? "check that the file is complete and that a config.json beside it is of this very model, or use the model's safetensors files"
            : "check that config.json and the weights belong together and are complete")
    {
        Missing = difference.Missing;
        Unexpected = difference.Unexpected;
        Wrong = difference.Wrong;
    }

    /// <summary>Names, in the file's spelling, of tensors that are needed and not there.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Names of tensors that are there and not known.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>Tensors of a wrong shape or type, each as a phrase with both values.</summary>
    public IReadOnlyList<string> Wrong { get; }
}
