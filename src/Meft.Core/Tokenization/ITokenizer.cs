namespace Meft.Core.Tokenization;

/// <summary>Turns text into token ids and back, as the model's own tokenizer files define it. Safe to use from several threads.</summary>
public interface ITokenizer
{
    /// <summary>One more than the largest id the tokenizer can give.</summary>
    int VocabularySize { get; }

    /// <summary>The ids that the tokenizer puts before every text (its beginning token), empty where it adds none.</summary>
    IReadOnlyList<int> BeginTokens { get; }

    /// <summary>Encodes a text.</summary>
    /// <param name="text">Any text; special tokens written in it are recognised as such.</param>
    /// <param name="addSpecialTokens">Whether to add what the tokenizer's post-processor adds (beginning token and the like).</param>
    int[] Encode(string text, bool addSpecialTokens);

    /// <summary>Decodes ids into text. Ids that form no complete UTF-8 character give U+FFFD.</summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens);

    /// <summary>The token behind an id, as the vocabulary spells it (for example <c>▁the</c> or <c>Ġthe</c>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is in no vocabulary.</exception>
    string Piece(int id);

    /// <summary>The id of a token spelt as in the vocabulary, or null.</summary>
    int? IdOf(string piece);
}
