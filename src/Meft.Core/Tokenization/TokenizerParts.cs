using Meft.Core.Tokenization.Decoding;
using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PostProcessing;
using Meft.Core.Tokenization.PreTokenization;

namespace Meft.Core.Tokenization;

/// <summary>What a tokenizer is made of, whichever files it was read from.</summary>
/// <param name="Normalizer">Rewrites text first; null for none.</param>
/// <param name="PreTokenizer">Splits it into pieces; null where the model gets the whole text.</param>
/// <param name="Model">Turns pieces into tokens.</param>
/// <param name="AddedTokens">The tokens found in a text before all that.</param>
/// <param name="Template">What is put around a text; its ids are the model's or added.</param>
/// <param name="Decoder">Turns tokens into text.</param>
internal sealed record TokenizerParts(
    INormalizer? Normalizer, IPreTokenizer? PreTokenizer, ITokenModel Model, AddedTokens AddedTokens, SpecialTokensTemplate Template,
    DecoderFactory Decoder)
{
    /// <summary>The id of a token spelt as in the vocabulary, or null.</summary>
    public int? IdOf(string token) => AddedTokens.Find(token)?.Id ?? Model.Vocabulary.IdOf(token);
}
