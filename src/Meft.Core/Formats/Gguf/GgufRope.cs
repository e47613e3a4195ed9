using System.Globalization;
using System.Text.Json.Nodes;
using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// What a GGUF file says of rotary embeddings, as <c>rope_parameters</c> of a config.json: keys <c>ARCHITECTURE.rope.*</c>, and the tensors
/// of factors by which frequencies are divided.
/// </summary>
internal static class GgufRope
{
    private const string Factors = "rope_freqs.weight", LongFactors = "rope_factors_long.weight", ShortFactors = "rope_factors_short.weight";

    /// <summary>Whether a tensor belongs to the rope, so that no Hugging Face model has it.</summary>
    public static bool IsRopeTensor(string name) => name is Factors or LongFactors or ShortFactors;

    /// <summary>The rope of the layers that see the whole text.</summary>
    /// <exception cref="GgufException">It is of a kind that is not known, or its factors follow no known rule.</exception>
    public static JsonObject Write(GgufFile file, GgufModelConfig sizes)
    {
        var metadata = file.Metadata;
        string Key(string name) => $"{sizes.Architecture}.rope.{name}";
        double? Number(string name) => metadata.FindNumber(Key(name)) is { } number ? Shortest(number) : null;
        var rope = new JsonObject { ["rope_theta"] = Shortest(sizes.RopeBase), ["rope_type"] = "default" };
        if (Number("dimension_count") is { } turned && turned != sizes.HeadSize) rope["partial_rotary_factor"] = turned / sizes.HeadSize;
        var original = Number("scaling.original_context_length");
        if (file.Tensors.ContainsKey(Factors)) return WithLlama3(rope, file, sizes, (int?)original);

        var factor = Number("scaling.factor") ?? Number("scale_linear");
        var type = metadata.FindString(Key("scaling.type")) ?? (factor is null or 0 or 1 ? "none" : "linear");
        if (file.Tensors.ContainsKey(LongFactors)) type = "longrope";
        // What the numbers of YaRN's paper do not have, though llama.cpp computes it.
        if (Number("scaling.yarn_ext_factor") is { } extrapolated && extrapolated >= 0 && extrapolated != (type == "yarn" ? 1 : 0))
            throw metadata.Failure(Key("scaling.yarn_ext_factor"), $"the value is {Invariant(extrapolated)} with the scaling '{type}'", type == "yarn" ? "1, or none" : "0, or none");
        if (Number("scaling.yarn_log_multiplier") is { } logarithm and not 0)
            throw metadata.Failure(Key("scaling.yarn_log_multiplier"), $"the value is {Invariant(logarithm)}, which is not supported", "0, or none");
        if (type == "none") return rope;
        rope["rope_type"] = type;
        rope["factor"] = factor;
        rope["original_max_position_embeddings"] = (int?)original;
        var multiplier = (Number("scaling.attn_factor") ?? 1) * (Number("scaling.yarn_attn_factor") ?? 1) is var given and not 1 ? given : (double?)null;
        switch (type)
        {
            case "linear":
                break;
            case "yarn":
                rope["beta_fast"] = Number("scaling.yarn_beta_fast");
                rope["beta_slow"] = Number("scaling.yarn_beta_slow");
                // The file's factor multiplies the one that follows from the stretching.
                if (multiplier is { } more && factor is { } stretch) rope["attention_factor"] = more * (0.1 * Math.Log(stretch) + 1);
                break;
            case "longrope":
                rope["long_factor"] = ReadFactors(file, LongFactors);
                rope["short_factor"] = ReadFactors(file, ShortFactors);
                rope["attention_factor"] = multiplier;
                break;
            default:
                throw metadata.Failure(Key("scaling.type"), $"the rope is scaled as '{type}', which is not known", "none, linear, yarn, longrope");
        }
        foreach (var name in rope.Where(p => p.Value is null).Select(p => p.Key).ToList()) rope.Remove(name);
        return rope;
    }

    /// <summary>Refuses a config.json whose rope is not the file's; a file that says nothing of scaling contradicts nothing.</summary>
    /// <exception cref="InvalidInputException">They differ; both are named.</exception>
    public static void RequireAgreement(GgufFile file, GgufModelConfig sizes, RopeConfig config)
    {
        if (file.Tensors.ContainsKey(Factors))
        {
            var inFile = ReadNumbers(file, Factors);
            if (inFile.Length != sizes.HeadSize / 2) throw Differs($"{Factors} has {inFile.Length} factors", $"heads of {sizes.HeadSize}, of which {sizes.HeadSize / 2} pairs turn");
            var inConfig = config.Type == RopeType.Llama3
                ? Llama3RopeFactors.Of(
                    new(config.Factor, config.LowFrequencyFactor, config.HighFrequencyFactor, config.OriginalMaxPositions), config.Theta, sizes.HeadSize)
                : [.. Enumerable.Repeat(1.0, sizes.HeadSize / 2)];
            if (inFile.Zip(inConfig).All(p => Math.Abs(p.First - p.Second) <= 1e-3 * Math.Abs(p.Second))) return;
            throw Differs($"{Factors} divides frequencies by up to {(inFile.Length == 0 ? 1 : inFile.Max()):0.####}", $"up to {inConfig.Max():0.####} (rope type {Name(config.Type)})");
        }
        var key = $"{sizes.Architecture}.rope.scaling";
        if (!file.Metadata.Contains($"{key}.type")) return;
        var type = file.Metadata.GetString($"{key}.type");
        if (type is "longrope") return; // its factors are tensors, which config.json has as lists
        if (!string.Equals(type == "none" ? "default" : type, Name(config.Type), StringComparison.Ordinal) && !(type == "none" && config.Type == RopeType.Llama3))
            throw Differs($"{key}.type is {type}", $"the rope type {Name(config.Type)}");
        if (config.Type == RopeType.Default || !file.Metadata.Contains($"{key}.factor")) return;
        var factor = (float)file.Metadata.GetNumber($"{key}.factor");
        if (factor != (float)config.Factor) throw Differs($"{key}.factor is {factor}", $"the rope factor {config.Factor}");

        InvalidInputException Differs(string inFile, string inConfig) => new(
            $"in the file {inFile} and the config.json beside it says {inConfig}", file.Path, null, "put the config.json of this very model beside the file");
    }

    /// <summary>A number that stands in the file as float32, as the shortest decimal that gives it.</summary>
    public static double Shortest(double number) => double.Parse(((float)number).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Invariant(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static JsonObject WithLlama3(JsonObject rope, GgufFile file, GgufModelConfig sizes, int? original)
    {
        var factors = ReadNumbers(file, Factors);
        if (factors.Length == sizes.HeadSize / 2 && factors.All(f => f == 1)) return rope;
        if (factors.Length != sizes.HeadSize / 2 || Llama3RopeFactors.Find(factors, sizes.RopeBase, sizes.HeadSize, original) is not { } found)
        {
            throw new GgufException(
                file.Path, $"the {factors.Length} factors of the rope's frequencies are not those of Llama 3.1's rule", file.Tensor(Factors).Offset, Factors,
                $"{sizes.HeadSize / 2} factors of that rule", "Use the model's safetensors files");
        }
        rope["rope_type"] = "llama3";
        rope["factor"] = found.Factor;
        rope["low_freq_factor"] = found.Low;
        rope["high_freq_factor"] = found.High;
        rope["original_max_position_embeddings"] = found.Original;
        return rope;
    }

    private static JsonArray ReadFactors(GgufFile file, string name) => [.. ReadNumbers(file, name).Select(f => JsonValue.Create(Shortest(f)))];

    private static float[] ReadNumbers(GgufFile file, string name)
    {
        var tensor = file.Tensor(name);
        if (tensor.Type != GgmlType.F32 || tensor.Shape.Count != 1)
            throw new GgufException(file.Path, $"the factors are {tensor.Type.GgmlName()} of {tensor.Shape.Count} dimensions", tensor.Offset, name, "a list of F32");
        return file.ReadSingles(name);
    }

    private static string Name(RopeType type) => type.ToString().ToLowerInvariant();
}
