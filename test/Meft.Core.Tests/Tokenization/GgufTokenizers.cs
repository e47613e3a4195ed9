using System.Text.Json;
using Meft.Core.Tokenization;
using Meft.Core.Tokenization.SentencePiece;

namespace Meft.Core.Tests.Tokenization;

/// <summary>Puts tokenizers into the metadata of GGUF files, as llama.cpp's converters do.</summary>
internal static class GgufTokenizers
{
    /// <summary>The tokens and merges of a byte-level tokenizer.json; ids without a token become padding.</summary>
    public static GgufBytes ByteLevel(string tokenizerJson, string split)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(tokenizerJson));
        var model = json.RootElement.GetProperty("model");
        var tokens = model.GetProperty("vocab").EnumerateObject().ToDictionary(t => t.Value.GetInt32(), t => (Text: t.Name, Kind: PieceKind.Normal));
        foreach (var added in json.RootElement.GetProperty("added_tokens").EnumerateArray())
        {
            tokens[added.GetProperty("id").GetInt32()] = (
                added.GetProperty("content").GetString()!, added.GetProperty("special").GetBoolean() ? PieceKind.Control : PieceKind.UserDefined);
        }
        var all = Enumerable.Range(0, tokens.Keys.Max() + 8)
            .Select(id => tokens.TryGetValue(id, out var token) ? token : (Text: $"[PAD{id}]", Kind: PieceKind.Unused)).ToList();
        var merges = model.GetProperty("merges").EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.String
            ? merge.GetString()!
            : string.Join(' ', merge.EnumerateArray().Select(part => part.GetString()))).ToList();
        return new GgufBytes()
            .Set("tokenizer.ggml.model", "gpt2")
            .Set("tokenizer.ggml.pre", split)
            .Set("tokenizer.ggml.tokens", [.. all.Select(t => t.Text)])
            .Set("tokenizer.ggml.token_type", [.. all.Select(t => (int)t.Kind)])
            .Set("tokenizer.ggml.merges", merges);
    }

    /// <summary>All bytes, a few merges, special tokens.</summary>
    public static GgufBytes SmallByteLevel()
    {
        List<string> tokens = [.. ByteAlphabet.Characters.ToArray().Select(c => c.ToString()), "he", "ll", "llo", "hello", "<|end|>", "<tool>", "[PAD]"];
        return new GgufBytes()
            .Set("tokenizer.ggml.model", "gpt2")
            .Set("tokenizer.ggml.pre", "qwen2")
            .Set("tokenizer.ggml.tokens", tokens)
            .Set("tokenizer.ggml.token_type", [.. tokens.Select((_, id) => id < 260 ? 1 : id - 257)])
            .Set("tokenizer.ggml.merges", ["h e", "l l", "ll o", "he llo"])
            .Set("tokenizer.ggml.eos_token_id", 260u)
            .Set("tokenizer.ggml.add_bos_token", false)
            .Set("tokenizer.chat_template", "{{ messages[0]['content'] }}{{ eos_token }}");
    }

    /// <summary>A few pieces, without bytes.</summary>
    public static GgufBytes SmallSentencePiece() => new GgufBytes()
        .Set("tokenizer.ggml.model", "llama")
        .Set("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", "▁ab", "ab", "▁", "a", "b", "<tool>"])
        .Set("tokenizer.ggml.scores", [0f, 0, 0, -1, -2, -3, -4, -5, 0])
        .Set("tokenizer.ggml.token_type", [2, 3, 3, 1, 1, 1, 1, 1, 4])
        .Set("tokenizer.ggml.bos_token_id", 1u)
        .Set("tokenizer.ggml.eos_token_id", 2u);

    /// <summary>The pieces of a SentencePiece model.</summary>
    public static GgufBytes SentencePiece(string modelFile)
    {
        var model = SentencePieceFile.Read(modelFile, File.ReadAllBytes(modelFile));
        return new GgufBytes()
            .Set("tokenizer.ggml.model", "llama")
            .Set("tokenizer.ggml.pre", "default")
            .Set("tokenizer.ggml.tokens", [.. model.Pieces.Select(p => p.Text)])
            .Set("tokenizer.ggml.scores", [.. model.Pieces.Select(p => p.Score)])
            .Set("tokenizer.ggml.token_type", [.. model.Pieces.Select(p => (int)p.Kind)])
            .Set("tokenizer.ggml.bos_token_id", 1u)
            .Set("tokenizer.ggml.eos_token_id", 2u);
    }
}
