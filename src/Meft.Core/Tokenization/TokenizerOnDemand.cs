namespace Meft.Core.Tokenization;

/// <summary>
/// The tokenizer of a folder, read when it is first asked something: whoever deals in token ids alone needs no tokenizer. Every member
/// throws a <see cref="TokenizerFileException"/> where the folder has none that can be read.
/// </summary>
/// <param name="path">What <see cref="HuggingFaceTokenizer.Load"/> takes.</param>
public sealed class TokenizerOnDemand(string path) : ITokenizer
{
    private readonly Lazy<HuggingFaceTokenizer> _tokenizer = new(() => HuggingFaceTokenizer.Load(path));

    /// <inheritdoc/>
    public int VocabularySize => _tokenizer.Value.VocabularySize;

    /// <inheritdoc/>
    public IReadOnlyList<int> BeginTokens => _tokenizer.Value.BeginTokens;

    /// <inheritdoc/>
    public IReadOnlyList<int> EndTokens => _tokenizer.Value.EndTokens;

    /// <inheritdoc/>
    public int[] Encode(string text, bool addSpecialTokens) => _tokenizer.Value.Encode(text, addSpecialTokens);

    /// <inheritdoc/>
    public (int[] Ids, int?[] Tokens) Align(string text, IReadOnlyList<int> places) => _tokenizer.Value.Align(text, places);

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens) => _tokenizer.Value.Decode(ids, skipSpecialTokens);

    /// <inheritdoc/>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens) => _tokenizer.Value.CreateStreamingDecoder(skipSpecialTokens);

    /// <inheritdoc/>
    public string Piece(int id) => _tokenizer.Value.Piece(id);

    /// <inheritdoc/>
    public bool IsSpecial(int id) => _tokenizer.Value.IsSpecial(id);

    /// <inheritdoc/>
    public int? IdOf(string piece) => _tokenizer.Value.IdOf(piece);
}
