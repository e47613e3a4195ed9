namespace Meft.Core.Tokenization;

/// <summary>
/// Decodes ids that arrive one by one. Never gives half a character: text is held back until its last byte is there. The texts given by
/// <see cref="Append"/> and <see cref="Complete"/>, joined, are what <see cref="ITokenizer.Decode"/> gives for all ids. For one thread.
/// </summary>
public abstract class StreamingDecoder
{
    /// <summary>Takes the next id and returns the text that became certain with it; often a word, sometimes empty.</summary>
    public abstract string Append(int id);

    /// <summary>Ends the text and returns what was held back (U+FFFD for bytes that never became a character).</summary>
    public abstract string Complete();
}
