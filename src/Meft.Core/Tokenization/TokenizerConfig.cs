using Meft.Core.Tokenization.Reading;

namespace Meft.Core.Tokenization;

/// <summary>What <c>tokenizer_config.json</c> says beside the tokenizer itself. A folder without that file has an empty one.</summary>
public sealed class TokenizerConfig
{
    /// <summary>The file's name in a model folder.</summary>
    public const string FileName = "tokenizer_config.json";

    private const string OlderFileName = "special_tokens_map.json";

    private static readonly string[] TokenNames =
        ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"];

    private readonly string _file;

    private TokenizerConfig(string file, Dictionary<string, string> specialTokens)
    {
        _file = file;
        SpecialTokens = specialTokens;
    }

    /// <summary>
    /// Texts of special tokens by their name in the file (<c>bos_token</c>, <c>eos_token</c> …); none for one that is null.
    /// </summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; }

    /// <summary>Whether the beginning token is put before every text; null where the file leaves that to <c>tokenizer.json</c>.</summary>
    public bool? AddsBeginToken { get; private init; }

    /// <summary>Whether the end token is put after every text; null where the file leaves that to <c>tokenizer.json</c>.</summary>
    public bool? AddsEndToken { get; private init; }

    /// <summary>The chat template's source; null where the file has none. Of several the one named <c>default</c>.</summary>
    public string? ChatTemplate { get; private init; }

    /// <summary>Reads the configuration of a tokenizer.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <exception cref="TokenizerFileException">The file is damaged.</exception>
    public static TokenizerConfig Load(string folder)
    {
        var file = Path.Combine(folder, FileName);
        var specialTokens = new Dictionary<string, string>();
        var older = Path.Combine(folder, OlderFileName);
        if (File.Exists(older)) ReadTokens(JsonField.ReadFile(older), specialTokens);
        if (!File.Exists(file)) return new TokenizerConfig(file, specialTokens);

        var config = JsonField.ReadFile(file);
        ReadTokens(config, specialTokens);
        return new TokenizerConfig(file, specialTokens)
        {
            AddsBeginToken = ReadFlag(config["add_bos_token"]),
            AddsEndToken = ReadFlag(config["add_eos_token"]),
            ChatTemplate = ReadChatTemplate(config["chat_template"]),
        };
    }

    /// <summary>The ids of the special tokens in a tokenizer.</summary>
    /// <exception cref="TokenizerFileException">The file names a token that the tokenizer does not have.</exception>
    public SpecialTokenIds Resolve(ITokenizer tokenizer)
    {
        return new SpecialTokenIds(IdOf("bos_token"), IdOf("eos_token"), IdOf("pad_token"), IdOf("unk_token"));

        int? IdOf(string name)
        {
            if (!SpecialTokens.TryGetValue(name, out var token)) return null;
            return tokenizer.IdOf(token)
                ?? throw new TokenizerFileException(_file, $"{name} is '{token}', which the tokenizer does not have");
        }
    }

    private static void ReadTokens(JsonField file, Dictionary<string, string> tokens)
    {
        foreach (var name in TokenNames)
        {
            var field = file[name];
            if (field.IsMissing) continue;
            // Older files hold the whole added token instead of its text.
            tokens[name] = field.IsObject ? field["content"].AsText() : field.AsText();
        }
    }

    private static bool? ReadFlag(JsonField field) => field.IsMissing ? null : field.AsBoolean(false);

    private static string? ReadChatTemplate(JsonField field)
    {
        if (field.IsMissing) return null;
        if (field.IsText) return field.AsText();
        var templates = new Dictionary<string, string>();
        foreach (var item in field.Items()) templates[item["name"].AsText()] = item["template"].AsText();
        return templates.TryGetValue("default", out var text)
            ? text
            : throw field.Error($"has no template named default; it has {string.Join(", ", templates.Keys)}");
    }
}
