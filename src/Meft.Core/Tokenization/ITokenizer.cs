namespace Meft.Core.Tokenization;

/// <summary>Turns text into token ids and back, as the model's own tokenizer files define it. Safe to use from several threads.</summary>
public interface ITokenizer
{
    /// <summary>One more than the largest id the tokenizer can give.</summary>
    int VocabularySize { get; }

    /// <summary>The ids that the tokenizer puts before every text (its beginning token), empty where it adds none.</summary>
    IReadOnlyList<int> BeginTokens { get; }

    /// <summary>The ids that the tokenizer puts after every text, empty where it adds none (as most models for generation do).</summary>
    IReadOnlyList<int> EndTokens { get; }

    /// <summary>Encodes a text.</summary>
    /// <param name="text">Any text; special tokens written in it are recognised as such. A lone surrogate counts as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether to add <see cref="BeginTokens"/> and <see cref="EndTokens"/>.</param>
    int[] Encode(string text, bool addSpecialTokens);

    /// <summary>Encodes a text, without special tokens around it, and says which tokens begin where.</summary>
    /// <param name="text">Any text, as for <see cref="Encode"/>.</param>
    /// <param name="places">Places in the text, counted in characters from 0.</param>
    /// <returns>
    /// The ids, those of <see cref="Encode"/>, and for each place the index of the first token that begins there or after it; null where
    /// that cannot be told.
    /// </returns>
    (int[] Ids, int?[] Tokens) Align(string text, IReadOnlyList<int> places)
    {
        var ids = Encode(text, addSpecialTokens: false);
        // What is told without knowing the tokenizer: the text up to the place encodes to the first of the ids.
        return (ids, [.. places.Select(place =>
        {
            var before = Encode(text[..place], addSpecialTokens: false);
            return ids.AsSpan().StartsWith(before) ? before.Length : (int?)null;
        })]);
    }

    /// <summary>
    /// Decodes ids into text. Bytes that form no complete UTF-8 character give U+FFFD; ids that are in no vocabulary give nothing
    /// (a model's output matrix may have more rows than its tokenizer has tokens).
    /// </summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens);

    /// <summary>
    /// Starts decoding ids that arrive one by one; the pieces of text add up to what <see cref="Decode"/> gives for all ids.
    /// </summary>
    StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens);

    /// <summary>The token behind an id, as the vocabulary spells it (for example <c>▁the</c> or <c>Ġthe</c>).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is in no vocabulary.</exception>
    string Piece(int id);

    /// <summary>Whether an id stands for a special token, which decoding may skip. False for an id that is in no vocabulary.</summary>
    bool IsSpecial(int id);

    /// <summary>The id of a token spelt as in the vocabulary, or null.</summary>
    int? IdOf(string piece);
}
