using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization.BytePairEncoding;

/// <summary>Reads the <c>model</c> of tokenizer.json.</summary>
internal static class BytePairModelReader
{
    /// <summary>The largest id a file may use; one beyond it is taken for damage, not for a vocabulary of that size.</summary>
    internal const int MaximumId = 9_999_999;

    private static readonly ComponentTable<BytePairModel> Known =
        new("model", new Dictionary<string, Func<JsonField, BytePairModel>> { ["BPE"] = ReadBytePairModel });

    public static BytePairModel Read(JsonField field)
    {
        // Files of the first tokenizers releases leave the type out; what has merges is byte pair encoding.
        return field["type"].IsMissing && !field["merges"].IsMissing ? ReadBytePairModel(field) : Known.Read(field);
    }

    private static BytePairModel ReadBytePairModel(JsonField field)
    {
        RefuseUnsupported(field);
        var vocabulary = ReadVocabulary(field["vocab"]);
        var unknownToken = ReadUnknownToken(field["unk_token"], vocabulary);
        var options = new BytePairOptions
        {
            UnknownToken = unknownToken,
            FusesUnknown = field["fuse_unk"].AsBoolean(false),
            FallsBackToBytes = field["byte_fallback"].AsBoolean(false),
            IgnoresMerges = field["ignore_merges"].AsBoolean(false),
        };
        return options.Build(vocabulary, ReadMerges(field["merges"], vocabulary));
    }

    private static void RefuseUnsupported(JsonField field)
    {
        foreach (var option in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (field[option].AsTextOrNull() is { Length: > 0 } value)
                throw field[option].Error($"is '{value}', which is not supported", "an empty text or null");
        }
        if (!field["dropout"].IsMissing) throw field["dropout"].Error("is set: merges would be dropped at random", "null");
    }

    /// <summary>Reads an object of ids by token.</summary>
    public static Vocabulary ReadVocabulary(JsonField field)
    {
        var ids = new Dictionary<string, int>();
        var tokens = new Dictionary<int, string>();
        foreach (var (token, value) in field.Members())
        {
            var id = value.AsInteger();
            if (id is < 0 or > MaximumId) throw value.Error($"is {id}", $"0 to {MaximumId}");
            if (!tokens.TryAdd(id, token)) throw value.Error($"is {id}, which is the id of '{tokens[id]}' already");
            ids[token] = id;
        }
        return new Vocabulary(ids);
    }

    private static int? ReadUnknownToken(JsonField field, Vocabulary vocabulary) => field.AsTextOrNull() is { } token
        ? vocabulary.IdOf(token) ?? throw field.Error($"is '{token}', which is not in the vocabulary")
        : null;

    private static List<TokenPair> ReadMerges(JsonField field, Vocabulary vocabulary)
    {
        var merges = new List<TokenPair>();
        foreach (var item in field.Items())
        {
            if (item.IsText && item.AsText().StartsWith("#version", StringComparison.Ordinal)) continue;
            var (left, right) = ReadPair(item);
            merges.Add(new TokenPair(IdOf(left), IdOf(right), IdOf(left + right)));

            int IdOf(string token) => vocabulary.IdOf(token)
                ?? throw item.Error($"uses the token '{token}', which is not in the vocabulary");
        }
        return merges;
    }

    private static (string Left, string Right) ReadPair(JsonField item)
    {
        string[] pair = item.IsText ? item.AsText().Split(' ') : [.. item.Items().Select(part => part.AsText())];
        return pair.Length == 2 ? (pair[0], pair[1]) : throw item.Error($"should be two tokens, not {pair.Length}");
    }
}
