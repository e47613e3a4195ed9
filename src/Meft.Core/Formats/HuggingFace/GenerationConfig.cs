namespace Meft.Core.Formats.HuggingFace;

/// <summary>The decoding defaults a model folder carries in generation_config.json. Null: the file does not say.</summary>
public sealed record GenerationConfig
{
    /// <summary>The ids that end an answer; <c>eos_token_id</c>, one or a list. Empty where there is none.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>The id a text begins with; <c>bos_token_id</c>.</summary>
    public int? BeginToken { get; init; }

    /// <summary>The id that fills short rows; <c>pad_token_id</c>.</summary>
    public int? PadToken { get; init; }

    /// <summary>Whether to sample; <c>do_sample</c>.</summary>
    public bool? Sample { get; init; }

    /// <summary>What logits are divided by; <c>temperature</c>.</summary>
    public double? Temperature { get; init; }

    /// <summary>How many of the likeliest tokens stay; <c>top_k</c>.</summary>
    public int? TopK { get; init; }

    /// <summary>The share of probability that stays; <c>top_p</c>.</summary>
    public double? TopP { get; init; }

    /// <summary>The share of the likeliest token's probability below which tokens go; <c>min_p</c>.</summary>
    public double? MinP { get; init; }

    /// <summary>The penalty on tokens that have occurred; <c>repetition_penalty</c>.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>
    /// Reads a model folder's generation_config.json; where there is none, the token ids of its config.json.
    /// </summary>
    /// <exception cref="Meft.Core.Errors.InvalidInputException">The file is no JSON or holds a value of the wrong kind.</exception>
    public static GenerationConfig Read(string folder, ModelConfig model)
    {
        var fromModel = new GenerationConfig { EndTokens = model.EndTokens, BeginToken = model.BeginToken, PadToken = model.PadToken };
        var path = Path.Combine(folder, "generation_config.json");
        if (!File.Exists(path)) return fromModel;
        var file = ConfigObject.Read(path);
        return new GenerationConfig
        {
            EndTokens = file.Has("eos_token_id") ? file.Ints("eos_token_id") : fromModel.EndTokens,
            BeginToken = file.Int("bos_token_id") ?? fromModel.BeginToken,
            PadToken = file.Int("pad_token_id") ?? fromModel.PadToken,
            Sample = file.Bool("do_sample"),
            Temperature = file.Number("temperature"),
            TopK = file.Int("top_k"),
            TopP = file.Number("top_p"),
            MinP = file.Number("min_p"),
            RepetitionPenalty = file.Number("repetition_penalty"),
        };
    }
}
