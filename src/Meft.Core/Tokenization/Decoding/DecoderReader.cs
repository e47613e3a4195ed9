using Meft.Core.Tokenization.PreTokenization;
using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.Decoding;

/// <summary>Begins one step of decoding a text; what it decodes goes to the next step.</summary>
internal delegate IDecodingStep DecoderFactory(IDecodingStep next);

/// <summary>Reads the <c>decoder</c> of tokenizer.json.</summary>
internal static class DecoderReader
{
    private static readonly ComponentTable<DecoderFactory> Known = new("decoder", new()
    {
        ["Sequence"] = ReadSequence,
        ["ByteLevel"] = _ => next => new ByteLevelStep(next),
        ["ByteFallback"] = _ => next => new ByteFallbackStep(next),
        ["Fuse"] = _ => next => new FuseStep(next),
        ["Metaspace"] = ReadMetaspace,
        ["Replace"] = ReadReplace,
        ["Strip"] = ReadStrip,
    });

    /// <summary>The decoder; where the file has none, tokens are joined with spaces.</summary>
    public static DecoderFactory Read(JsonField field) => field.IsMissing ? next => new JoinStep(next) : Known.Read(field);

    private static DecoderFactory ReadSequence(JsonField field)
    {
        var decoders = field["decoders"].Items().Select(Known.Read).Reverse().ToList();
        return last => decoders.Aggregate(last, (next, decoder) => decoder(next));
    }

    private static DecoderFactory ReadMetaspace(JsonField field)
    {
        var mark = ReadCharacter(field["replacement"]);
        var dropsFirst = PreTokenizerReader.ReadPrependScheme(field) != PrependScheme.Never;
        return next => new MetaspaceStep(next, mark, dropsFirst);
    }

    private static DecoderFactory ReadReplace(JsonField field)
    {
        var pattern = TextPattern.Read(field["pattern"]);
        var replacement = field["content"].AsText();
        var isOneCharacter = field["pattern"]["String"] is { IsMissing: false } literal && literal.AsText().Length == 1;
        return next => isOneCharacter
            ? new ReplaceStep(next, pattern, replacement)
            : new WholeTokenStep(new ReplaceStep(next, pattern, replacement));
    }

    private static DecoderFactory ReadStrip(JsonField field)
    {
        var (character, start, stop) = (ReadCharacter(field["content"]), field["start"].AsInteger(), field["stop"].AsInteger());
        return next => stop == 0
            ? new StripStep(next, character, start, stop)
            : new WholeTokenStep(new StripStep(next, character, start, stop));
    }

    private static char ReadCharacter(JsonField field)
    {
        var text = field.AsText();
        return text.Length == 1 ? text[0] : throw field.Error($"should be one character, not '{text}'");
    }
}
