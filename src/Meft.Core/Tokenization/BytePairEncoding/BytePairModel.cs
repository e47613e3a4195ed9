using System.Collections.Concurrent;

namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>
/// Encodes words by byte pair encoding (Sennrich et al. 2016), with the options that tokenizer.json gives its <c>BPE</c> model.
/// </summary>
internal sealed class BytePairModel : ITokenModel
{
    private readonly SymbolReader _symbols;
    private readonly MergeTable _merges;
    private readonly MergeBoundaries? _boundaries;
    private readonly bool _ignoreMerges;
    private readonly WordCache _cache = new();
    private readonly ConcurrentBag<WordMerger> _mergers = [];

    /// <param name="symbols">Turns characters into the tokens that merging starts from.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="boundaries">Where long texts may be cut; null where that could change the result.</param>
    /// <param name="ignoreMerges">Whether a word that is a token is that token, whatever the merges would give.</param>
    public BytePairModel(SymbolReader symbols, MergeTable merges, MergeBoundaries? boundaries, bool ignoreMerges)
    {
        _symbols = symbols;
        _merges = merges;
        _boundaries = boundaries;
        _ignoreMerges = ignoreMerges;
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary => _symbols.Vocabulary;

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        while (!piece.IsEmpty)
        {
            var length = _boundaries is null || WordCache.Holds(piece.Length) ? piece.Length : _boundaries.FirstPart(piece);
            EncodeWord(piece[..length], output);
            piece = piece[length..];
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> output)
    {
        if (_cache.TryGet(word, out var known))
        {
            output.AddRange(known.AsSpan());
            return;
        }
        var start = output.Count;
        if (_ignoreMerges && Vocabulary.IdOf(word) is { } id) output.Add(id);
        else MergeWord(word, output);
        if (WordCache.Holds(word.Length)) _cache.Add(word, [.. output[start..]]);
    }

    private void MergeWord(ReadOnlySpan<char> word, List<int> output)
    {
        var symbols = new List<int>(word.Length);
        _symbols.Read(word, symbols);
        if (symbols.Count == 0) return;
        if (!_mergers.TryTake(out var merger)) merger = new WordMerger(_merges);
        merger.Merge(symbols, output);
        _mergers.Add(merger);
    }
}
