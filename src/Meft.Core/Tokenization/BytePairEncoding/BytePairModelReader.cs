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
        var byteTokens = field["byte_fallback"].AsBoolean(false) ? ByteTokens(vocabulary) : null;
        var symbols = new SymbolReader(vocabulary, byteTokens, unknownToken, field["fuse_unk"].AsBoolean(false));
        var ignoreMerges = field["ignore_merges"].AsBoolean(false);

        var merges = ReadMerges(field["merges"], vocabulary);
        var table = new MergeTable(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
            table.Set(merges[rank].Left, merges[rank].Right, new Merge(rank, merges[rank].Token));
        var boundaries = ignoreMerges ? null : FindBoundaries(merges, vocabulary, byteTokens, unknownToken);
        return new BytePairModel(symbols, table, boundaries, ignoreMerges);
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

    private static Vocabulary ReadVocabulary(JsonField field)
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

    private static int?[] ByteTokens(Vocabulary vocabulary) =>
        [.. Enumerable.Range(0, 256).Select(value => vocabulary.IdOf($"<0x{value:X2}>"))];

    private static List<(int Left, int Right, int Token)> ReadMerges(JsonField field, Vocabulary vocabulary)
    {
        var merges = new List<(int, int, int)>();
        foreach (var item in field.Items())
        {
            if (item.IsText && item.AsText().StartsWith("#version", StringComparison.Ordinal)) continue;
            var (left, right) = ReadPair(item);
            merges.Add((IdOf(left), IdOf(right), IdOf(left + right)));

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

    /// <summary>
    /// Boundaries compare a token's spelling with the text, so they hold only where every token spells the text it stands for: not where
    /// bytes' tokens or the unknown token may merge, nor where unknown characters beside each other may fuse.
    /// </summary>
    private static MergeBoundaries? FindBoundaries(
        List<(int Left, int Right, int Token)> merges, Vocabulary vocabulary, int?[]? byteTokens, int? unknownToken)
    {
        var hasAllBytes = byteTokens is not null && byteTokens.All(token => token is not null);
        if (!hasAllBytes && unknownToken is not null) return null;
        var substitutes = byteTokens?.OfType<int>().ToHashSet() ?? [];
        var boundaries = new MergeBoundaries();
        foreach (var merge in merges)
        {
            if (substitutes.Contains(merge.Left) || substitutes.Contains(merge.Right)) return null;
            boundaries.Add(vocabulary.TokenOf(merge.Token)!);
        }
        return boundaries;
    }
}
