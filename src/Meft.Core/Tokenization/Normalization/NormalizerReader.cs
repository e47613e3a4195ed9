using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.Normalization;

/// <summary>Reads the <c>normalizer</c> of tokenizer.json.</summary>
internal static class NormalizerReader
{
    private static readonly ComponentTable<INormalizer> Known = new("normalizer", new()
    {
        ["Sequence"] = field => new SequenceNormalizer([.. field["normalizers"].Items().Select(item => Known!.Read(item))]),
        ["Prepend"] = field => new PrependNormalizer(field["prepend"].AsText()),
        ["Replace"] = field => new ReplaceNormalizer(TextPattern.Read(field["pattern"]), field["content"].AsText()),
        ["Lowercase"] = _ => new LowercaseNormalizer(),
        ["Strip"] = field => new StripNormalizer(field["strip_left"].AsBoolean(true), field["strip_right"].AsBoolean(true)),
        ["ByteLevel"] = _ => new ByteLevelNormalizer(),
        ["NFC"] = _ => new UnicodeNormalizer(compose: true),
        ["NFD"] = _ => new UnicodeNormalizer(compose: false),
    });

    /// <summary>The normalizer, or null where the file has none.</summary>
    public static INormalizer? Read(JsonField field) => field.IsMissing ? null : Known.Read(field);
}
