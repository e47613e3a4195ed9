using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.Decoding;
using Meft.Core.Tokenization.Normalization;
using Meft.Core.Tokenization.PostProcessing;
using Meft.Core.Tokenization.Unigram;

namespace Meft.Core.Tokenization.SentencePiece;

/// <summary>
/// Makes a tokenizer of a SentencePiece model, as transformers does for Llama's: spaces become ▁, one is put before every stretch of text
/// where the model says so, control and user-defined pieces are found in the text first.
/// </summary>
internal static class SentencePieceTokenizer
{
    private const char Mark = '▁';

    /// <summary>Makes the tokenizer.</summary>
    /// <param name="model">The model.</param>
    /// <param name="config">What lies beside it.</param>
    /// <param name="vocabulary">Its <see cref="VocabularyOf"/>.</param>
    /// <param name="added">Tokens declared beside the model.</param>
    /// <exception cref="TokenizerFileException">Pieces contradict each other or an added token.</exception>
    public static TokenizerParts Build(SentencePieces model, TokenizerConfig config, Vocabulary vocabulary, IEnumerable<DeclaredToken> added)
    {
        var prepends = config.AddsPrefixSpace ?? model.AddsDummyPrefix;
        var normalizer = BuildNormalizer(prepends, model.RemovesExtraSpaces);
        var own = model.Pieces.Select((piece, id) => (piece, id))
            .Where(p => p.piece.Kind is PieceKind.Unknown or PieceKind.Control or PieceKind.UserDefined)
            .Select(p => new AddedToken(p.id, p.piece.Text, p.piece.Kind != PieceKind.UserDefined, false, false, false, IsNormalized: false))
            .Select(token => new DeclaredToken(token, (problem, allowed) => new TokenizerFileException(model.File, $"the id of '{token.Content}' {problem}", allowed)));
        var addedTokens = AddedTokens.Of(added.Concat(own), vocabulary, normalizer);
        var parts = new TokenizerParts(normalizer, null, BuildModel(model, vocabulary), addedTokens, SpecialTokensTemplate.Empty, BuildDecoder(prepends));
        // SentencePiece leaves the beginning to whoever calls it; the tokenizers of Llama, Mistral and Gemma put it there unless told otherwise.
        return parts with
        {
            Template = SpecialTokensTemplate.Empty.With(
                config.AddsBeginToken ?? true, IdOf("bos_token") ?? model.BeginToken, config.AddsEndToken ?? false, IdOf("eos_token") ?? model.EndToken),
        };

        int? IdOf(string name) => config.SpecialTokens.TryGetValue(name, out var token) ? parts.IdOf(token) : null;
    }

    /// <summary>The pieces and their ids.</summary>
    /// <exception cref="TokenizerFileException">A piece stands there twice or is longer than any token is.</exception>
    public static Vocabulary VocabularyOf(SentencePieces model)
    {
        var ids = new Dictionary<string, int>(model.Pieces.Count);
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var text = model.Pieces[id].Text;
            if (text.Length > MergeInference.MaximumLength)
                throw new TokenizerFileException(model.File, $"piece {id} has {text.Length} characters", $"at most {MergeInference.MaximumLength}");
            if (!ids.TryAdd(text, id)) throw new TokenizerFileException(model.File, $"piece {id} is '{text}', as piece {ids[text]} is");
        }
        return new Vocabulary(ids);
    }

    private static ITokenModel BuildModel(SentencePieces model, Vocabulary vocabulary)
    {
        int? unknown = null;
        for (var id = 0; id < model.Pieces.Count && unknown is null; id++) unknown = model.Pieces[id].Kind == PieceKind.Unknown ? id : null;
        if (!model.IsBytePairEncoding)
        {
            return new UnigramModel(
                vocabulary, [.. model.Pieces.Select(p => p.Score)], id => model.Pieces[id].Kind is PieceKind.Normal or PieceKind.UserDefined, model.FallsBackToBytes,
                unknown ?? throw new TokenizerFileException(model.File, "no piece stands for unknown characters"));
        }
        if (model.Pieces.FirstOrDefault(p => p.Kind == PieceKind.Unused) is { Text: { } unused })
            throw new TokenizerFileException(model.File, $"the piece '{unused}' is marked as unused, which is not supported in a BPE model");
        var options = new BytePairOptions { UnknownToken = unknown, FusesUnknown = true, FallsBackToBytes = model.FallsBackToBytes };
        return options.Build(vocabulary, MergesOf(model, vocabulary));
    }

    /// <summary>The merges of a BPE model: of the pieces that stand for text, the highest score first, of equal ones the lower id.</summary>
    public static List<TokenPair> MergesOf(SentencePieces model, Vocabulary vocabulary)
    {
        return MergeInference.Find(vocabulary, Enumerable.Range(0, model.Pieces.Count).Where(IsText).OrderByDescending(id => model.Pieces[id].Score), IsText);

        bool IsText(int id) => model.Pieces[id].Kind is PieceKind.Normal or PieceKind.UserDefined;
    }

    private static SequenceNormalizer BuildNormalizer(bool prepends, bool removesExtraSpaces)
    {
        var steps = new List<INormalizer>();
        if (removesExtraSpaces) steps.Add(new ExtraSpaceNormalizer());
        if (prepends) steps.Add(new PrependNormalizer(Mark.ToString()));
        steps.Add(new ReplaceNormalizer(CodePointRegex.Literal(" ", ""), Mark.ToString()));
        return new SequenceNormalizer(steps);
    }

    private static DecoderFactory BuildDecoder(bool prepends) => last =>
    {
        var end = prepends ? new StripStep(last, ' ', start: 1, stop: 0) : last;
        return new ReplaceStep(new ByteFallbackStep(new FuseStep(end)), CodePointRegex.Literal(Mark.ToString(), ""), " ");
    };
}
