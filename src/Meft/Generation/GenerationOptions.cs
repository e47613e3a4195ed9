using Meft.Core.Errors;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Generation;

/// <summary>How text is decoded. Names and meanings are those of transformers' generation config.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most tokens to add; <c>max_new_tokens</c>.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>The ids that end a row; <c>eos_token_id</c>. The ending id is part of the result.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Whether to draw from the distribution instead of taking the likeliest token; <c>do_sample</c>.</summary>
    public bool Sample { get; init; }

    /// <summary>What logits are divided by when sampling; <c>temperature</c>.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>When sampling, how many of the likeliest tokens stay, 0 for all; <c>top_k</c>.</summary>
    public int TopK { get; init; }

    /// <summary>When sampling, the smallest set of likeliest tokens with this share of probability stays; <c>top_p</c>.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>When sampling, tokens below this share of the likeliest one's probability go; <c>min_p</c>.</summary>
    public double MinP { get; init; }

    /// <summary>When sampling, the tokens nearest to the expected surprise with this share of probability stay; <c>typical_p</c>.</summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>
    /// A token that has occurred, in the prompt or after it, has its score divided by this where positive, else multiplied;
    /// <c>repetition_penalty</c>.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>No run of so many tokens occurs twice, the prompt counted; 0 for no ban; <c>no_repeat_ngram_size</c>.</summary>
    public int NoRepeatNgramSize { get; init; }

    /// <summary>No end token before the row, prompt and all, has this length; <c>min_length</c>.</summary>
    public int MinLength { get; init; }

    /// <summary>No end token before so many new tokens; <c>min_new_tokens</c>.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>The beams of a beam search, 1 for none; <c>num_beams</c>.</summary>
    public int BeamCount { get; init; } = 1;

    /// <summary>A finished beam's log-probability is divided by its generated length to this power; <c>length_penalty</c>.</summary>
    public double LengthPenalty { get; init; } = 1;

    /// <summary>When a beam search stops; <c>early_stopping</c>.</summary>
    public EarlyStopping EarlyStopping { get; init; } = EarlyStopping.Heuristic;

    /// <summary>The seed of sampling. A row's draws depend on the seed and the row's index, not on what else is in the batch.</summary>
    public ulong Seed { get; init; }

    /// <summary>The options a model folder's generation_config.json asks for, without its sampling unless it asks for that too.</summary>
    public static GenerationOptions From(GenerationConfig config) => new()
    {
        EndTokens = config.EndTokens,
        Sample = config.Sample ?? false,
        Temperature = config.Temperature ?? 1,
        TopK = config.TopK ?? 0,
        TopP = config.TopP ?? 1,
        MinP = config.MinP ?? 0,
        RepetitionPenalty = config.RepetitionPenalty ?? 1,
    };

    /// <summary>Checks ranges.</summary>
    /// <exception cref="InvalidInputException">A value is out of its range.</exception>
    public void Validate()
    {
        Check(MaxNewTokens >= 0, "max_new_tokens", MaxNewTokens, "a whole number from 0");
        Check(Temperature > 0, "temperature", Temperature, "a number above 0; for the likeliest token turn sampling off");
        Check(TopK >= 0, "top_k", TopK, "a whole number, 0 for all tokens");
        Check(TopP is > 0 and <= 1, "top_p", TopP, "above 0, up to 1");
        Check(MinP is >= 0 and <= 1, "min_p", MinP, "0 to 1");
        Check(TypicalP is > 0 and <= 1, "typical_p", TypicalP, "above 0, up to 1");
        Check(RepetitionPenalty > 0, "repetition_penalty", RepetitionPenalty, "a number above 0, 1 for none");
        Check(NoRepeatNgramSize >= 0, "no_repeat_ngram_size", NoRepeatNgramSize, "a whole number, 0 for none");
        Check(MinLength >= 0, "min_length", MinLength, "a whole number from 0");
        Check(MinNewTokens >= 0, "min_new_tokens", MinNewTokens, "a whole number from 0");
        Check(BeamCount >= 1, "num_beams", BeamCount, "a whole number from 1");
        Check(double.IsFinite(LengthPenalty), "length_penalty", LengthPenalty, "a finite number");
        if (Sample && BeamCount > 1)
        {
            throw new InvalidInputException(
                $"do_sample is true and num_beams is {BeamCount}", null, "sampling with one beam, or beams without sampling");
        }

        static void Check(bool right, string name, double value, string allowed)
        {
            if (!right) throw new InvalidInputException($"{name} is {value}", null, allowed);
        }
    }
}

/// <summary>When a beam search stops although not all tokens are used up.</summary>
public enum EarlyStopping
{
    /// <summary>When the best running beam, at its present length, is worse than the worst finished one; <c>false</c>.</summary>
    Heuristic,

    /// <summary>As soon as there are as many finished beams as beams; <c>true</c>.</summary>
    WhenEnough,

    /// <summary>When no running beam can become better than the worst finished one; <c>"never"</c>.</summary>
    Never,
}
