using System.Text;

namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>
/// Turns characters into the tokens that merging starts from: the character's own token, its bytes' tokens, or the unknown token.
/// </summary>
/// <param name="vocabulary">The tokens.</param>
/// <param name="byteTokens">The tokens <c>&lt;0x00&gt;</c> … <c>&lt;0xFF&gt;</c>, null where the vocabulary lacks one; null without byte
/// fallback.</param>
/// <param name="unknownToken">The token of a character that has none; null: such characters are left out.</param>
/// <param name="fuseUnknown">Whether neighbouring unknown characters give one token together.</param>
internal sealed class SymbolReader(Vocabulary vocabulary, int?[]? byteTokens, int? unknownToken, bool fuseUnknown)
{
    public Vocabulary Vocabulary => vocabulary;

    public void Read(ReadOnlySpan<char> word, List<int> symbols)
    {
        Span<byte> bytes = stackalloc byte[4];
        var unknownIsPending = false;
        while (!word.IsEmpty)
        {
            Rune.DecodeFromUtf16(word, out var rune, out var length);
            if (vocabulary.IdOf(word[..length]) is { } id)
            {
                if (unknownIsPending) symbols.Add(unknownToken!.Value);
                unknownIsPending = false;
                symbols.Add(id);
            }
            else if (!TryReadBytes(bytes[..rune.EncodeToUtf8(bytes)], symbols) && unknownToken is { } unknown)
            {
                if (unknownIsPending && !fuseUnknown) symbols.Add(unknown);
                unknownIsPending = true;
            }
            word = word[length..];
        }
        if (unknownIsPending) symbols.Add(unknownToken!.Value);
    }

    private bool TryReadBytes(ReadOnlySpan<byte> bytes, List<int> symbols)
    {
        if (byteTokens is null) return false;
        foreach (var value in bytes)
        {
            if (byteTokens[value] is null) return false;
        }
        foreach (var value in bytes) symbols.Add(byteTokens[value]!.Value);
        return true;
    }
}
