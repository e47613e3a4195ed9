using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PreTokenization;
using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization;

/// <summary>A stretch of a text on its way to the pre-tokenizer.</summary>
/// <param name="TokenId">The id of the added token found here; null for text.</param>
/// <param name="Piece">The normalized text where it is text.</param>
/// <param name="Source">The stretch of the text, before it was normalized, that this is or lies in.</param>
/// <param name="Within">Where it lies in that stretch once that is normalized.</param>
internal readonly record struct EncodingSegment(int? TokenId, TextPiece Piece, Range Source, Range Within);

/// <summary>An added token as a file declares it.</summary>
/// <param name="Token">The token.</param>
/// <param name="Error">Makes an error about its id: what is wrong with it, and what is allowed or null.</param>
internal readonly record struct DeclaredToken(AddedToken Token, Func<string, string?, Exception> Error);

/// <summary>
/// The tokens added beside the model's. Those that are not normalized are found in the text as it came; what lies between is
/// normalized, and the others are found in that.
/// </summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<int, AddedToken> _byId;
    private readonly Dictionary<string, AddedToken> _byContent;
    private readonly INormalizer? _normalizer;
    private readonly AddedTokenFinder _inText;
    private readonly AddedTokenFinder _inNormalizedText;

    private AddedTokens(IReadOnlyList<AddedToken> tokens, INormalizer? normalizer)
    {
        _byId = tokens.ToDictionary(token => token.Id);
        _byContent = tokens.ToDictionary(token => token.Content);
        _normalizer = normalizer;
        _inText = new AddedTokenFinder(tokens.Where(token => !token.IsNormalized).Select(token => (token.Content, token)));
        _inNormalizedText = new AddedTokenFinder(tokens.Where(token => token.IsNormalized)
            .Select(token => (normalizer?.Normalize(token.Content) ?? token.Content, token))
            .Where(spelt => spelt.Item1.Length > 0));
    }

    /// <summary>One more than the largest id.</summary>
    public int Size => _byId.Count == 0 ? 0 : _byId.Keys.Max() + 1;

    /// <summary>How many there are.</summary>
    public int Count => _byId.Count;

    /// <summary>The added token of an id, or null.</summary>
    public AddedToken? Find(int id) => _byId.GetValueOrDefault(id);

    /// <summary>The added token that stands for a text, or null.</summary>
    public AddedToken? Find(string content) => _byContent.GetValueOrDefault(content);

    /// <summary>Reads the <c>added_tokens</c> of tokenizer.json.</summary>
    public static AddedTokens Read(JsonField field, Vocabulary vocabulary, INormalizer? normalizer) => Of(
        (field.IsMissing ? [] : field.Items()).Select(item => new DeclaredToken(ReadToken(item, item["id"].AsInteger()), item["id"].Error)),
        vocabulary, normalizer);

    /// <summary>Tokens from wherever they are declared; of several of one content the first counts.</summary>
    /// <exception cref="Errors.InvalidInputException">An id contradicts the vocabulary or another token.</exception>
    public static AddedTokens Of(IEnumerable<DeclaredToken> declared, Vocabulary vocabulary, INormalizer? normalizer)
    {
        var tokens = new List<AddedToken>();
        var contents = new HashSet<string>();
        var ids = new HashSet<int>();
        foreach (var (token, error) in declared)
        {
            if (token.Id is < 0 or > BytePairModelReader.MaximumId) throw error($"is {token.Id}", $"0 to {BytePairModelReader.MaximumId}");
            if (token.Content.Length == 0 || !contents.Add(token.Content)) continue;
            if (vocabulary.IdOf(token.Content) is { } own && own != token.Id)
                throw error($"is {token.Id}, but the vocabulary gives '{token.Content}' the id {own}", null);
            if (vocabulary.TokenOf(token.Id) is { } other && other != token.Content)
                throw error($"is {token.Id}, which is the id of '{other}' already", null);
            if (!ids.Add(token.Id)) throw error($"is {token.Id}, the id of another added token", null);
            tokens.Add(token);
        }
        return new AddedTokens(tokens, normalizer);
    }

    /// <summary>Cuts a text into added tokens and normalized text between them.</summary>
    public IEnumerable<EncodingSegment> Split(string text)
    {
        foreach (var segment in _inText.Split(text))
        {
            if (segment.TokenId is not null)
            {
                yield return new EncodingSegment(segment.TokenId, default, segment.Range, default);
                continue;
            }
            var normalized = _normalizer?.Normalize(text[segment.Range]) ?? text[segment.Range];
            foreach (var inner in _inNormalizedText.Split(normalized))
            {
                var startsText = segment.Range.Start.Value == 0 && inner.Range.Start.Value == 0;
                yield return new EncodingSegment(inner.TokenId, new TextPiece(normalized.AsMemory(inner.Range), startsText), segment.Range, inner.Range);
            }
        }
    }

    /// <summary>Reads a token from an object with <c>content</c> and flags.</summary>
    public static AddedToken ReadToken(JsonField item, int id) => new(
        id,
        item["content"].AsText(),
        IsSpecial: item["special"].AsBoolean(false),
        IsSingleWord: item["single_word"].AsBoolean(false),
        StripsLeft: item["lstrip"].AsBoolean(false),
        StripsRight: item["rstrip"].AsBoolean(false),
        IsNormalized: item["normalized"].AsBoolean(true));
}
