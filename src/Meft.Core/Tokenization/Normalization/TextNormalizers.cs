namespace Meft.Core.Tokenization.Normalization;

/// <summary>Normalizers one after the other.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<INormalizer> normalizers) : INormalizer
{
    public string Normalize(string text) => normalizers.Aggregate(text, (current, normalizer) => normalizer.Normalize(current));
}

/// <summary>Puts a text before every text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : INormalizer
{
    public string Normalize(string text) => text.Length == 0 ? text : prefix + text;
}

/// <summary>Replaces what matches a pattern.</summary>
internal sealed class ReplaceNormalizer(CodePointRegex pattern, string replacement) : INormalizer
{
    public string Normalize(string text) => pattern.Replace(text, replacement);
}

/// <summary>Makes letters small.</summary>
internal sealed class LowercaseNormalizer : INormalizer
{
    public string Normalize(string text) => text.ToLowerInvariant();
}

/// <summary>Removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : INormalizer
{
    public string Normalize(string text) => (left, right) switch
    {
        (true, true) => text.Trim(),
        (true, false) => text.TrimStart(),
        (false, true) => text.TrimEnd(),
        (false, false) => text,
    };
}

/// <summary>Spells every UTF-8 byte as a visible character.</summary>
internal sealed class ByteLevelNormalizer : INormalizer
{
    public string Normalize(string text) => ByteAlphabet.Spell(text);
}

/// <summary>Removes spaces at the ends and makes one of several, as SentencePiece's <c>remove_extra_whitespaces</c> does.</summary>
internal sealed class ExtraSpaceNormalizer : INormalizer
{
    public string Normalize(string text) => string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
