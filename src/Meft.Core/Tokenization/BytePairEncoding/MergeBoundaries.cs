namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>
/// Finds places in a text that no merge can cross: between two characters that stand beside each other in no token made by a merge.
/// Cutting there leaves the result as it is and turns a whole document without pre-tokenizer (Llama 2, Mistral) into words.
/// </summary>
internal sealed class MergeBoundaries
{
    private readonly HashSet<int> _joined = [];

    /// <summary>Notes a token that a merge makes.</summary>
    public void Add(string mergedToken)
    {
        for (var i = 1; i < mergedToken.Length; i++) _joined.Add(KeyOf(mergedToken[i - 1], mergedToken[i]));
    }

    /// <summary>The length of the first part of a text that ends at such a place, or the length of the text.</summary>
    public int FirstPart(ReadOnlySpan<char> text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (!char.IsLowSurrogate(text[i]) && !_joined.Contains(KeyOf(text[i - 1], text[i]))) return i;
        }
        return text.Length;
    }

    private static int KeyOf(char left, char right) => (left << 16) | right;
}
