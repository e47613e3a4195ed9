using System.Globalization;
using System.Text.Json.Nodes;
using Meft.Core.Errors;

namespace Meft.Core.Formats.Gguf;

/// <summary>
/// What a GGUF file says of rotary embeddings, as <c>rope_parameters</c> of a config.json: keys <c>ARCHITECTURE.rope.*</c>, and the tensors
/// of factors by which frequencies are divided.
/// </summary>
internal static class GgufRope
{
    /// <summary>The tensors of factors: of all rows (Llama 3.1), and of long and short ones (long-rope).</summary>
    public const string Factors = "rope_freqs.weight", LongFactors = "rope_factors_long.weight", ShortFactors = "rope_factors_short.weight";

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
        if (file.Tensors.ContainsKey(Factors) && WithLlama3(rope, file, sizes, (int?)original) is { } divided) return divided;

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
        switch (type)
        {
            case "linear":
                break;
            case "yarn":
                rope["beta_fast"] = Number("scaling.yarn_beta_fast");
                rope["beta_slow"] = Number("scaling.yarn_beta_slow");
                // Converters write transformers' attention_factor, the whole one, under one name; what has the other name multiplies the one that follows from the stretching.
                var (whole, multiplier) = (Number("scaling.yarn_attn_factor"), Number("scaling.attn_factor") is { } given and not 1 ? given : (double?)null);
                if (whole is not null && multiplier is not null)
                    throw metadata.Failure(Key("scaling.attn_factor"), $"the value is {Invariant(multiplier.Value)} beside {Key("scaling.yarn_attn_factor")} {Invariant(whole.Value)}", "one of them");
                rope["attention_factor"] = whole ?? multiplier * (0.1 * Math.Log(Math.Max(1, factor ?? 1)) + 1);
                break;
            case "longrope":
                if (!file.Tensors.ContainsKey(LongFactors) || !file.Tensors.ContainsKey(ShortFactors))
                    throw metadata.Failure(Key("scaling.type"), $"the rope is of longrope's kind, and the file lacks {LongFactors} or {ShortFactors}", "both tensors");
                rope["long_factor"] = ReadFactors(file, LongFactors);
                rope["short_factor"] = ReadFactors(file, ShortFactors);
                rope["attention_factor"] = Number("scaling.attn_factor");
                break;
            default:
                throw metadata.Failure(Key("scaling.type"), $"the rope is scaled as '{type}', which is not known", "none, linear, yarn, longrope");
        }
        foreach (var name in rope.Where(p => p.Value is null).Select(p => p.Key).ToList()) rope.Remove(name);
        return rope;
    }

    /// <summary>A number that stands in the file as float32, as the shortest decimal that gives it.</summary>
    public static double Shortest(double number) => double.Parse(((float)number).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Invariant(double number) => number.ToString(CultureInfo.InvariantCulture);

    // Null where no frequency is divided.
    private static JsonObject? WithLlama3(JsonObject rope, GgufFile file, GgufModelConfig sizes, int? original)
    {
        var factors = ReadNumbers(file, Factors);
        if (factors.Length == sizes.HeadSize / 2 && factors.All(f => f == 1)) return null;
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

    /// <summary>A tensor of factors.</summary>
    /// <exception cref="InvalidInputException">It is not there, or no list of float32.</exception>
    public static float[] ReadNumbers(GgufFile file, string name)
    {
        var tensor = file.Tensor(name);
        if (tensor.Type != GgmlType.F32 || tensor.Shape.Count != 1)
            throw new GgufException(file.Path, $"the factors are {tensor.Type.GgmlName()} of {tensor.Shape.Count} dimensions", tensor.Offset, name, "a list of F32");
        return file.ReadSingles(name);
    }
}
