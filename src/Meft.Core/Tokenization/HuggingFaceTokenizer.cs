using Meft.Core.Tokenization.Decoding;
using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PostProcessing;
using Meft.Core.Tokenization.PreTokenization;
using Meft.Core.Tokenization.Unigram;

namespace Meft.Core.Tokenization;

/// <summary>
/// A tokenizer read from a model's own files (<see cref="TokenizerFolder"/> says which). Encodes and decodes as the library <c>tokenizers</c>
/// does; settings for truncation and padding are left to whoever builds batches.
/// </summary>
public sealed class HuggingFaceTokenizer : ITokenizer
{
    /// <summary>The name of the file that says it all, in a model folder.</summary>
    public const string FileName = "tokenizer.json";

    private readonly AddedTokens _addedTokens;
    private readonly INormalizer? _normalizer;
    private readonly IPreTokenizer? _preTokenizer;
    private readonly ITokenModel _model;
    private readonly SpecialTokensTemplate _template;
    private readonly DecoderFactory _decoder;

    internal HuggingFaceTokenizer(TokenizerParts parts)
    {
        (_normalizer, _preTokenizer, _model, _addedTokens, _template, _decoder) = parts;
        VocabularySize = Math.Max(_model.Vocabulary.Size, _addedTokens.Size);
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <summary>How words become tokens, as tokenizer.json names it: <c>BPE</c> or <c>Unigram</c>.</summary>
    public string Algorithm => _model is UnigramModel ? "Unigram" : "BPE";

    /// <summary>The tokens that are found in a text before it is split.</summary>
    public int AddedTokenCount => _addedTokens.Count;

    /// <inheritdoc/>
    public IReadOnlyList<int> BeginTokens => _template.Begin;

    /// <inheritdoc/>
    public IReadOnlyList<int> EndTokens => _template.End;

    /// <summary>
    /// Reads a tokenizer. Where a <c>tokenizer_config.json</c> beside it has <c>add_bos_token</c> or <c>add_eos_token</c>, these decide
    /// what is added to a text, as in transformers.
    /// </summary>
    /// <param name="path">A folder with a tokenizer's files, a <c>tokenizer.json</c>, or a .gguf file.</param>
    /// <exception cref="Errors.InvalidInputException">
    /// There is no tokenizer, or its files are damaged or use what is not supported: <see cref="TokenizerFileException"/>, for a .gguf file
    /// <see cref="Formats.Gguf.GgufException"/>.
    /// </exception>
    public static HuggingFaceTokenizer Load(string path) => new(TokenizerFolder.Read(path));

    /// <inheritdoc/>
    public int[] Encode(string text, bool addSpecialTokens)
    {
        var ids = new List<int>(text.Length / 3 + 2);
        if (addSpecialTokens) ids.AddRange(_template.Begin);
        var pieces = new List<TextPiece>();
        foreach (var segment in _addedTokens.Split(WellFormed(text)))
        {
            if (segment.TokenId is { } id)
            {
                ids.Add(id);
                continue;
            }
            pieces.Clear();
            if (_preTokenizer is null) pieces.Add(segment.Piece);
            else _preTokenizer.Split(segment.Piece, pieces);
            foreach (var piece in pieces) _model.Encode(piece.Text.Span, ids);
        }
        if (addSpecialTokens) ids.AddRange(_template.End);
        return [.. ids];
    }

    /// <inheritdoc/>
    public (int[] Ids, int?[] Tokens) Align(string text, IReadOnlyList<int> places) =>
        new TokenAlignment(_addedTokens, _normalizer, _preTokenizer, _model).Of(WellFormed(text), places);

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var decoding = new TokenDecoding(this, skipSpecialTokens);
        foreach (var id in ids) decoding.Take(id);
        return decoding.Complete();
    }

    /// <inheritdoc/>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens) => new TokenDecoding(this, skipSpecialTokens);

    /// <inheritdoc/>
    public string Piece(int id) => Find(id)
        ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"no token has this id; the vocabulary's size is {VocabularySize}");

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _addedTokens.Find(id) is { IsSpecial: true };

    /// <inheritdoc/>
    public int? IdOf(string piece) => _addedTokens.Find(piece)?.Id ?? _model.Vocabulary.IdOf(piece);

    /// <summary>The token of an id as it stands in the vocabulary; null where no token has it.</summary>
    public string? Find(int id) => _addedTokens.Find(id)?.Content ?? _model.Vocabulary.TokenOf(id);

    /// <summary>The text with lone surrogates, which are no characters, replaced by U+FFFD.</summary>
    private static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0) return text;
        return string.Concat(text.EnumerateRunes().Select(rune => rune.ToString()));
    }

    private sealed class TokenDecoding : StreamingDecoder
    {
        private readonly HuggingFaceTokenizer _tokenizer;
        private readonly bool _skipSpecialTokens;
        private readonly TextSink _text = new();
        private readonly IDecodingStep _steps;

        public TokenDecoding(HuggingFaceTokenizer tokenizer, bool skipSpecialTokens)
        {
            _tokenizer = tokenizer;
            _skipSpecialTokens = skipSpecialTokens;
            _steps = tokenizer._decoder(_text);
        }

        public void Take(int id)
        {
            if (_skipSpecialTokens && _tokenizer.IsSpecial(id)) return;
            if (_tokenizer.Find(id) is { } token) _steps.Accept(token, continuesToken: false);
        }

        public override string Append(int id)
        {
            Take(id);
            return _text.Drain();
        }

        public override string Complete()
        {
            _steps.Complete();
            return _text.Drain();
        }
    }
}
