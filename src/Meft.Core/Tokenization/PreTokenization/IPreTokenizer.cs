namespace Meft.Core.Tokenization.PreTokenization;

/// <summary>A piece of a text on its way to the model.</summary>
/// <param name="Text">Its characters.</param>
/// <param name="StartsText">Whether it begins where the whole text begins.</param>
internal readonly record struct TextPiece(ReadOnlyMemory<char> Text, bool StartsText);

/// <summary>Splits a piece of text into pieces (words, roughly) that the model encodes one by one.</summary>
internal interface IPreTokenizer
{
    void Split(TextPiece piece, List<TextPiece> output);
}

/// <summary>Pre-tokenizers one after the other, each splitting the pieces of the one before.</summary>
internal sealed class SequencePreTokenizer(IReadOnlyList<IPreTokenizer> preTokenizers) : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        List<TextPiece> pieces = [piece];
        foreach (var preTokenizer in preTokenizers)
        {
            var split = new List<TextPiece>(pieces.Count);
            foreach (var current in pieces) preTokenizer.Split(current, split);
            pieces = split;
        }
        output.AddRange(pieces);
    }
}
