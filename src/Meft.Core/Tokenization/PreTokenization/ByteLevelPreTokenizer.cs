using System.Text.RegularExpressions;

namespace Meft.Core.Tokenization.PreTokenization;

/// <summary>Splits into words as GPT-2 does (unless a pre-tokenizer before it did) and spells each one's UTF-8 bytes.</summary>
internal sealed partial class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : IPreTokenizer
{
    private static readonly PatternPreTokenizer Words = new(CodePointRegex.BuiltIn(WordPattern()), SplitBehavior.Isolated);

    public void Split(TextPiece piece, List<TextPiece> output)
    {
        if (addPrefixSpace && !piece.Text.Span.StartsWith(' ')) piece = piece with { Text = $" {piece.Text}".AsMemory() };
        var start = output.Count;
        if (useRegex) Words.Split(piece, output);
        else output.Add(piece);
        for (var i = start; i < output.Count; i++)
            output[i] = output[i] with { Text = ByteAlphabet.Spell(output[i].Text.Span).AsMemory() };
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WordPattern();
}
