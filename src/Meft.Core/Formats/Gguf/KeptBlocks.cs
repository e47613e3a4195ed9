using Meft.Core.Errors;

namespace Meft.Core.Formats.Gguf;

/// <summary>What <c>quantize: gguf</c> asks of a model.</summary>
public static class KeptBlocks
{
    /// <summary>The error of a model that is no GGUF file.</summary>
    public static InvalidInputException None(string path) => new(
        "quantize is gguf, which keeps the blocks of a GGUF file as they are, and the model's weights are no such file", path, "a .gguf file",
        "take int8 or nf4, or name the .gguf file");
}
