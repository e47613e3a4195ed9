using Meft.Core.Tokenization.BytePairEncoding;

namespace Meft.Core.Tokenization;

/// <summary>Turns a piece of text into tokens of a vocabulary. Safe to use from several threads.</summary>
internal interface ITokenModel
{
    /// <summary>The tokens without those that were added to the model.</summary>
    Vocabulary Vocabulary { get; }

    /// <summary>Encodes a piece of text and adds its tokens.</summary>
    void Encode(ReadOnlySpan<char> piece, List<int> output);
}
