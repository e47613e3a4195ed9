using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Decoding;
using Meft.Core.Tokenization.PostProcessing;

namespace Meft.Core.Tokenization.ByteLevel;

/// <summary>Makes a byte-level tokenizer of its tokens and merges and the form that goes with them.</summary>
internal static class ByteLevelTokenizer
{
    /// <summary>Makes the tokenizer.</summary>
    /// <param name="form">What is done to a text before the merges.</param>
    /// <param name="vocabulary">The tokens, spelt in the <see cref="ByteAlphabet"/>.</param>
    /// <param name="merges">The merges, the earliest first.</param>
    /// <param name="added">The added tokens.</param>
    /// <param name="config">What lies beside the files.</param>
    public static TokenizerParts Build(
        ByteLevelForm form, Vocabulary vocabulary, IReadOnlyList<TokenPair> merges, IEnumerable<DeclaredToken> added, TokenizerConfig config)
    {
        var model = new BytePairOptions { IgnoresMerges = form.IgnoresMerges }.Build(vocabulary, merges);
        var parts = new TokenizerParts(
            form.Normalizer, form.PreTokenizer, model, AddedTokens.Of(added, vocabulary, form.Normalizer), SpecialTokensTemplate.Empty,
            next => new ByteLevelStep(next));
        return parts with
        {
            Template = SpecialTokensTemplate.Empty.With(
                config.AddsBeginToken ?? form.BeginToken is not null, IdOf("bos_token") ?? (form.BeginToken is { } begin ? parts.IdOf(begin) : null),
                config.AddsEndToken ?? false, IdOf("eos_token")),
        };

        int? IdOf(string name) => config.SpecialTokens.TryGetValue(name, out var token) ? parts.IdOf(token) : null;
    }
}
