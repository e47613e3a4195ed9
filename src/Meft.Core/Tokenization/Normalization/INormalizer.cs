namespace Meft.Core.Tokenization.Normalization;

/// <summary>Rewrites a text before it is split and encoded.</summary>
internal interface INormalizer
{
    string Normalize(string text);
}
