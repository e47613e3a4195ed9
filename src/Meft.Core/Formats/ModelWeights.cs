using Meft.Core.Errors;
using Meft.Core.Formats.Gguf;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Formats.Safetensors;

namespace Meft.Core.Formats;

/// <summary>Finds the weights of a model and opens them, with the tensor names of Hugging Face whatever the format.</summary>
public static class ModelWeights
{
    private const string GgufPattern = "*.gguf";

    /// <summary>Opens weights.</summary>
    /// <param name="path">
    /// A folder with <c>model.safetensors</c>, with its index and shards, or with one .gguf file (looked for in this order); or a
    /// .gguf or .safetensors file.
    /// </param>
    /// <param name="decodeTo">What the blocks of a GGUF file are decoded to, F32 or BF16. Safetensors keep their types.</param>
    /// <exception cref="InvalidInputException">
    /// There are no weights, or several GGUF files to choose from, or a file is malformed.
    /// </exception>
    public static ITensorSource Open(string path, TensorDType decodeTo = TensorDType.F32)
    {
        if (!Directory.Exists(path))
        {
            return path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
                ? GgufModelSource.Open(path, decodeTo)
                : SafetensorsFile.Open(path);
        }
        if (HasSafetensors(path)) return ShardedSafetensors.OpenFolder(path);
        RefuseSeveralGguf(path);
        return Directory.GetFiles(path, GgufPattern) is [var file] ? GgufModelSource.Open(file, decodeTo) : throw new InvalidInputException(
            "the folder holds no weights", path,
            $"{ShardedSafetensors.SingleFileName}, {ShardedSafetensors.IndexFileName} with its shards, or one {GgufPattern}");
    }

    /// <summary>Refuses a folder of several GGUF files, as those that publish a model in many forms are.</summary>
    /// <exception cref="InvalidInputException">It is one; they are named.</exception>
    internal static void RefuseSeveralGguf(string folder)
    {
        var files = Directory.GetFiles(folder, GgufPattern);
        if (files.Length < 2) return;
        throw new InvalidInputException(
            "the folder holds several GGUF files", folder, "one",
            $"Name one of them: {string.Join(", ", files.Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal))}");
    }

    /// <summary>As <see cref="Open(string, TensorDType)"/>, and refuses a GGUF file whose own sizes are not those of the config.json beside it.</summary>
    /// <exception cref="InvalidInputException">As the other overload; or a size differs.</exception>
    public static ITensorSource Open(string path, ModelConfig config, TensorDType decodeTo)
    {
        var source = Open(path, decodeTo);
        try
        {
            if (source is GgufModelSource gguf) GgufConfigAgreement.Require(gguf.File, gguf.Architecture, gguf.Config, config);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>The files that <see cref="Open(string, TensorDType)"/> reads.</summary>
    /// <exception cref="InvalidInputException">As there.</exception>
    public static IReadOnlyList<string> Files(string path)
    {
        using var source = Open(path);
        return source is ShardedSafetensors shards ? shards.Files : [source.Path];
    }

    private static bool HasSafetensors(string folder) =>
        File.Exists(System.IO.Path.Combine(folder, ShardedSafetensors.SingleFileName))
        || File.Exists(System.IO.Path.Combine(folder, ShardedSafetensors.IndexFileName));
}
