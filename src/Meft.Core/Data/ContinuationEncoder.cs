using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>
/// Encodes a text that continues another one. Tokenizers of the SentencePiece family put a space before every text; between a prompt
/// and its completion that would be a space that nobody wrote, so it is taken away again.
/// </summary>
internal sealed class ContinuationEncoder
{
    private const char SpaceMark = '\u2581';
    private const string Anchor = "\n";
    private readonly ITokenizer _tokenizer;
    private readonly bool _addsSpace;
    private readonly int[] _anchorIds;

    public ContinuationEncoder(ITokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        var probe = tokenizer.Encode("a", addSpecialTokens: false);
        _addsSpace = probe.Length > 0 && tokenizer.Piece(probe[0]).StartsWith(SpaceMark);
        _anchorIds = _addsSpace ? tokenizer.Encode(Anchor, addSpecialTokens: false) : [];
    }

    /// <summary>The ids of the text as it stands after another text, without special tokens.</summary>
    public int[] Encode(string text)
    {
        if (!_addsSpace || text.Length == 0) return _tokenizer.Encode(text, addSpecialTokens: false);
        // The space that the tokenizer adds is then the one that was written.
        if (text[0] == ' ' && text.Length > 1) return _tokenizer.Encode(text[1..], addSpecialTokens: false);
        // A line break joins with nothing, so what follows it is encoded as if inside a text.
        var anchored = _tokenizer.Encode(Anchor + text, addSpecialTokens: false);
        return anchored.AsSpan().StartsWith(_anchorIds) ? anchored[_anchorIds.Length..] : _tokenizer.Encode(text, addSpecialTokens: false);
    }
}
