using Meft.Core.Formats.Gguf;
using Meft.Core.Tokenization.ByteLevel;
using Meft.Core.Tokenization.BytePairEncoding;
using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tokenization.Gguf;

/// <summary>
/// Reads the tokenizer of a GGUF file from its metadata <c>tokenizer.ggml.*</c>: byte-level BPE (<c>gpt2</c>) or SentencePiece's BPE
/// (<c>llama</c>).
/// </summary>
internal static class GgufTokenizerReader
{
    private const string Prefix = "tokenizer.ggml.", ModelKey = Prefix + "model", TokensKey = Prefix + "tokens", TypesKey = Prefix + "token_type",
        ScoresKey = Prefix + "scores", MergesKey = Prefix + "merges", SplitKey = Prefix + "pre", TemplateKey = "tokenizer.chat_template";

    /// <summary>The type of a token of which nothing is said.</summary>
    private const int Undefined = 0;

    /// <summary>How texts are split, by the name that llama.cpp's converter gives it.</summary>
    private static readonly Dictionary<string, Func<ByteLevelForm>> Forms = new(StringComparer.Ordinal)
    {
        ["gpt-2"] = () => ByteLevelForm.Gpt2(),
        ["smollm"] = ByteLevelForm.SmolLm,
        ["qwen2"] = ByteLevelForm.Qwen2,
        ["deepseek-r1-qwen"] = ByteLevelForm.Qwen2,
        ["llama-bpe"] = ByteLevelForm.Llama3,
        ["llama3"] = ByteLevelForm.Llama3,
        ["llama-v3"] = ByteLevelForm.Llama3,
        ["dbrx"] = ByteLevelForm.Cl100k,
        ["gpt-4o"] = ByteLevelForm.O200k,
        ["tekken"] = ByteLevelForm.Tekken,
    };

    /// <summary>Special tokens by their names in tokenizer_config.json, with the key of their id.</summary>
    private static readonly (string Name, string Key)[] SpecialTokens =
    [
        ("bos_token", "bos_token_id"), ("eos_token", "eos_token_id"), ("unk_token", "unknown_token_id"), ("pad_token", "padding_token_id"),
    ];

    /// <summary>Whether a path is that of a GGUF file.</summary>
    public static bool IsGguf(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && File.Exists(path);

    /// <summary>Whether a file's metadata hold a tokenizer.</summary>
    public static bool HasTokenizer(string path)
    {
        using var file = GgufFile.Open(path);
        return file.Metadata.Contains(TokensKey);
    }

    /// <summary>The name of the tokenizer's kind and, of a byte-level one, of its way to split texts; null where there is none.</summary>
    public static string? KindOf(GgufMetadata metadata) => metadata.FindString(ModelKey) is not { } model ? null
        : model + (metadata.FindString(SplitKey) is { } split ? $", {split}" : "");

    /// <summary>Whether a file's metadata hold a chat template.</summary>
    public static bool HasChatTemplate(GgufMetadata metadata) => metadata.Contains(TemplateKey);

    /// <summary>Reads a file's tokenizer.</summary>
    /// <exception cref="GgufException">The file is malformed, or its tokenizer is of a kind that is not known.</exception>
    public static TokenizerParts Read(string path)
    {
        using var file = GgufFile.Open(path);
        var metadata = file.Metadata;
        if (!metadata.Contains(TokensKey)) throw metadata.Failure(TokensKey, "the file holds no tokenizer", "tokens in the metadata", Advice(path));
        var tokens = metadata.GetStrings(TokensKey);
        var kinds = ReadKinds(metadata, tokens.Count);
        var config = ReadConfig(path, metadata);
        return metadata.GetString(ModelKey) switch
        {
            "gpt2" => ReadByteLevel(path, metadata, tokens, kinds, config),
            "llama" => ReadSentencePiece(path, metadata, tokens, kinds, config),
            var other => throw metadata.Failure(ModelKey, $"the tokenizer is of the kind '{other}'", "gpt2, llama", Advice(path)),
        };
    }

    /// <summary>What tokenizer_config.json would say: special tokens, what is put around a text, the chat template.</summary>
    /// <exception cref="GgufException">The file is malformed.</exception>
    public static TokenizerConfig ReadConfig(string path)
    {
        using var file = GgufFile.Open(path);
        return ReadConfig(path, file.Metadata);
    }

    private static TokenizerConfig ReadConfig(string path, GgufMetadata metadata)
    {
        var tokens = metadata.Contains(TokensKey) ? metadata.GetStrings(TokensKey) : [];
        var special = new Dictionary<string, string>();
        foreach (var (name, key) in SpecialTokens)
        {
            if (!metadata.Contains(Prefix + key)) continue;
            var id = metadata.GetInteger(Prefix + key);
            if (id < 0 || id >= tokens.Count) throw metadata.Failure(Prefix + key, $"the id is {id}", $"0 to {tokens.Count - 1}, the ids of the tokens");
            special[name] = tokens[(int)id];
        }
        return new TokenizerConfig(path, special)
        {
            AddsBeginToken = Flag("add_bos_token"),
            AddsEndToken = Flag("add_eos_token"),
            AddsPrefixSpace = Flag("add_space_prefix"),
            ChatTemplate = metadata.FindString(TemplateKey),
        };

        bool? Flag(string key) => metadata.Contains(Prefix + key) ? metadata.GetBoolean(Prefix + key) : null;
    }

    private static TokenizerParts ReadByteLevel(
        string path, GgufMetadata metadata, IReadOnlyList<string> tokens, PieceKind[] kinds, TokenizerConfig config)
    {
        var known = string.Join(", ", Forms.Keys.Order(StringComparer.Ordinal));
        if (!metadata.Contains(SplitKey)) throw metadata.Failure(SplitKey, "the file does not say how a text is split into words", known, Advice(path));
        var split = metadata.GetString(SplitKey);
        if (!Forms.TryGetValue(split, out var form)) throw metadata.Failure(SplitKey, $"texts are split as '{split}', which is not known", known, Advice(path));
        // An unused token pads the vocabulary to the rows of the embedding: it is nothing to encode or decode.
        var vocabulary = VocabularyOf(metadata, tokens, id => kinds[id] != PieceKind.Unused);
        return ByteLevelTokenizer.Build(form(), vocabulary, ReadMerges(metadata, vocabulary), Added(metadata, tokens, kinds, config), config);
    }

    private static TokenizerParts ReadSentencePiece(
        string path, GgufMetadata metadata, IReadOnlyList<string> tokens, PieceKind[] kinds, TokenizerConfig config)
    {
        if (metadata.Find(ScoresKey) is not { Value: var found }) throw metadata.Failure(TokensKey, "the tokens have no scores", $"{tokens.Count} of float32", Advice(path));
        if (found is not float[] scores || scores.Length != tokens.Count)
            throw metadata.Failure(ScoresKey, found is Array other ? $"there are {other.Length} scores and {tokens.Count} tokens, or they are of another type" : "the scores are no array", $"{tokens.Count} of float32", Advice(path));
        // Without them byte tokens could not be told from texts, and what has no token of its own would vanish.
        if (!metadata.Contains(TypesKey)) throw metadata.Failure(TypesKey, "the tokens have no types", $"{tokens.Count} of Int32", Advice(path));
        var at = Array.FindIndex(scores, score => !float.IsFinite(score));
        if (at >= 0) throw metadata.Failure(ScoresKey, $"the score of token {at} is {scores[at]}", "finite numbers");
        // Padding is of no use here either; as a control token it is found only where it is written out.
        var pieces = tokens.Select((token, id) => new ScoredPiece(token, scores[id], kinds[id] == PieceKind.Unused ? PieceKind.Control : kinds[id])).ToList();
        var model = new SentencePieces
        {
            File = path,
            Pieces = pieces,
            IsBytePairEncoding = true,
            FallsBackToBytes = kinds.Contains(PieceKind.Byte),
            RemovesExtraSpaces = false,
        };
        var vocabulary = VocabularyOf(metadata, tokens, _ => true);
        return SentencePieceTokenizer.Build(model, config, vocabulary, Added(metadata, tokens, kinds, config));
    }

    private static PieceKind[] ReadKinds(GgufMetadata metadata, int count)
    {
        if (!metadata.Contains(TypesKey)) return [.. Enumerable.Repeat(PieceKind.Normal, count)];
        if (metadata.Find(TypesKey)!.Value is not int[] types || types.Length != count)
            throw metadata.Failure(TypesKey, "the types of the tokens are not one a token", $"{count} of Int32");
        var at = Array.FindIndex(types, type => type is < 0 or > 6);
        if (at >= 0) throw metadata.Failure(TypesKey, $"token {at} is of type {types[at]}", "0 to 6");
        return [.. types.Select(type => type == Undefined ? PieceKind.Normal : (PieceKind)type)];
    }

    private static Vocabulary VocabularyOf(GgufMetadata metadata, IReadOnlyList<string> tokens, Func<int, bool> isUsed)
    {
        var ids = new Dictionary<string, int>(tokens.Count);
        for (var id = 0; id < tokens.Count; id++)
        {
            if (!isUsed(id)) continue;
            if (tokens[id].Length is 0 or > MergeInference.MaximumLength)
                throw metadata.Failure(TokensKey, $"token {id} has {tokens[id].Length} characters", $"1 to {MergeInference.MaximumLength}");
            if (!ids.TryAdd(tokens[id], id)) throw metadata.Failure(TokensKey, $"token {id} is '{tokens[id]}', as token {ids[tokens[id]]} is", null);
        }
        return new Vocabulary(ids);
    }

    private static List<TokenPair> ReadMerges(GgufMetadata metadata, Vocabulary vocabulary)
    {
        var lines = metadata.GetStrings(MergesKey);
        var merges = new List<TokenPair>(lines.Count);
        for (var i = 0; i < lines.Count; i++)
        {
            var parts = lines[i].Split(' ', 3);
            if (parts.Length != 2) throw metadata.Failure(MergesKey, $"merge {i} should be two tokens with a space between", null);
            merges.Add(new TokenPair(IdOf(parts[0]), IdOf(parts[1]), IdOf(parts[0] + parts[1])));

            int IdOf(string token) => vocabulary.IdOf(token)
                ?? throw metadata.Failure(MergesKey, $"merge {i} uses '{(token.Length > 60 ? token[..60] + "…" : token)}', which is no token", null);
        }
        return merges;
    }

    /// <summary>Control, unknown and user-defined tokens, and those with a part to play.</summary>
    private static IEnumerable<DeclaredToken> Added(GgufMetadata metadata, IReadOnlyList<string> tokens, PieceKind[] kinds, TokenizerConfig config)
    {
        var special = config.SpecialTokens.Values.ToHashSet();
        for (var id = 0; id < tokens.Count; id++)
        {
            var isSpecial = kinds[id] is PieceKind.Control or PieceKind.Unknown || special.Contains(tokens[id]);
            if (!isSpecial && kinds[id] != PieceKind.UserDefined) continue;
            yield return new DeclaredToken(
                new AddedToken(id, tokens[id], isSpecial, false, false, false, IsNormalized: false),
                (problem, allowed) => metadata.Failure(TokensKey, $"the id of a token {problem}", allowed));
        }
    }

    private static string Advice(string path) =>
        $"Put the {HuggingFaceTokenizer.FileName} of the original model into {(Path.GetDirectoryName(path) is { Length: > 0 } folder ? folder : "the file's folder")}";
}
