using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PreTokenization;

namespace Meft.Core.Tokenization.ByteLevel;

/// <summary>
/// What byte-level tokenizers of one kind do to a text before the merges: files of tokens and merges alone do not say it. The patterns are
/// those of the models' published tokenizer.json files.
/// </summary>
/// <param name="Normalizer">Rewrites text first; null for none.</param>
/// <param name="PreTokenizer">Splits it into words and spells their bytes.</param>
/// <param name="IgnoresMerges">Whether a word that is a token is that token, whatever the merges would give.</param>
/// <param name="BeginToken">The beginning token that is put before every text unless told otherwise; null for none.</param>
internal sealed record ByteLevelForm(INormalizer? Normalizer, IPreTokenizer PreTokenizer, bool IgnoresMerges = false, string? BeginToken = null)
{
    /// <summary>What a Llama 3 text begins with.</summary>
    public const string Llama3Begin = "<|begin_of_text|>";

    /// <summary>Qwen2 and Qwen3 cut numbers into digits, Llama 3 into groups of up to three.</summary>
    private const string Qwen2Words =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Llama3Words =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>OpenAI's o200k: words end where an upper case letter follows a lower case one, and take their contraction with them.</summary>
    private const string O200kWords =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>As o200k, without contractions, and numbers digit by digit.</summary>
    private const string TekkenWords =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>GPT-2's.</summary>
    /// <param name="addPrefixSpace">Whether a space is put before a text without one.</param>
    public static ByteLevelForm Gpt2(bool addPrefixSpace = false) => new(null, new ByteLevelPreTokenizer(addPrefixSpace, useRegex: true));

    /// <summary>SmolLM's: digits one by one, then as GPT-2.</summary>
    public static ByteLevelForm SmolLm() => new(null, new SequencePreTokenizer(
    [
        new PatternPreTokenizer(CodePointRegex.Pattern(@"\p{N}", ""), SplitBehavior.Isolated),
        new ByteLevelPreTokenizer(addPrefixSpace: false, useRegex: true),
    ]));

    /// <summary>That of Qwen2 and Qwen3.</summary>
    public static ByteLevelForm Qwen2() => new(new UnicodeNormalizer(compose: true), Words(Qwen2Words));

    /// <summary>Llama 3's.</summary>
    public static ByteLevelForm Llama3() => new(null, Words(Llama3Words), IgnoresMerges: true, BeginToken: Llama3Begin);

    /// <summary>OpenAI's cl100k, Phi-4's: the words of Llama 3.</summary>
    public static ByteLevelForm Cl100k() => new(null, Words(Llama3Words));

    /// <summary>OpenAI's o200k, Phi-4-mini's.</summary>
    public static ByteLevelForm O200k() => new(null, Words(O200kWords));

    /// <summary>Tekken, of Mistral Nemo and those that followed.</summary>
    public static ByteLevelForm Tekken() => new(null, Words(TekkenWords), IgnoresMerges: true, BeginToken: "<s>");

    private static SequencePreTokenizer Words(string pattern) => new(
    [
        new PatternPreTokenizer(CodePointRegex.Pattern(pattern, ""), SplitBehavior.Isolated),
        new ByteLevelPreTokenizer(addPrefixSpace: false, useRegex: false),
    ]);
}
