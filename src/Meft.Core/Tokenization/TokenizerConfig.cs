using System.Globalization;
using Meft.Core.Tokenization.Gguf;
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

    /// <summary>The tokenizer's class by <c>model_type</c> of config.json, as transformers chooses it where tokenizer_config.json is absent.</summary>
    private static readonly Dictionary<string, string> ClassOfModel = new(StringComparer.Ordinal)
    {
        ["gpt2"] = "GPT2Tokenizer",
        ["qwen2"] = "Qwen2Tokenizer",
        ["qwen3"] = "Qwen2Tokenizer",
    };

    private JsonField _addedTokens;

    internal TokenizerConfig(string file, IReadOnlyDictionary<string, string> specialTokens)
    {
        File = file;
        SpecialTokens = specialTokens;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>
    /// Texts of special tokens by their name in the file (<c>bos_token</c>, <c>eos_token</c> …); none for one that is null.
    /// </summary>
    public IReadOnlyDictionary<string, string> SpecialTokens { get; }

    /// <summary>Further special tokens; <c>additional_special_tokens</c>.</summary>
    public IReadOnlyList<string> AdditionalSpecialTokens { get; private init; } = [];

    /// <summary>
    /// The tokenizer's class, <c>tokenizer_class</c>; else the one that goes with config.json's <c>model_type</c>; null where neither says it.
    /// </summary>
    public string? TokenizerClass { get; private init; }

    /// <summary>Whether a space is put before a text; null where the file leaves that to the tokenizer's own files.</summary>
    public bool? AddsPrefixSpace { get; internal init; }

    /// <summary>Whether the beginning token is put before every text; null where the file leaves that to <c>tokenizer.json</c>.</summary>
    public bool? AddsBeginToken { get; internal init; }

    /// <summary>Whether the end token is put after every text; null where the file leaves that to <c>tokenizer.json</c>.</summary>
    public bool? AddsEndToken { get; internal init; }

    /// <summary>The chat template's source; null where the file has none. Of several the one named <c>default</c>.</summary>
    public string? ChatTemplate { get; internal init; }

    /// <summary>Reads the configuration of a tokenizer.</summary>
    /// <param name="folder">The model's folder; or a .gguf file, whose metadata say the same things.</param>
    /// <exception cref="Errors.InvalidInputException">The file is damaged.</exception>
    public static TokenizerConfig Load(string folder)
    {
        if (GgufTokenizerReader.IsGguf(folder)) return GgufTokenizerReader.ReadConfig(folder);
        var file = Path.Combine(folder, FileName);
        var specialTokens = new Dictionary<string, string>();
        var older = Path.Combine(folder, OlderFileName);
        if (System.IO.File.Exists(older)) ReadTokens(JsonField.ReadFile(older), specialTokens);
        if (!System.IO.File.Exists(file)) return new TokenizerConfig(file, specialTokens) { TokenizerClass = ClassByModel(folder) };

        var config = JsonField.ReadFile(file);
        ReadTokens(config, specialTokens);
        return new TokenizerConfig(file, specialTokens)
        {
            _addedTokens = config["added_tokens_decoder"],
            AdditionalSpecialTokens = ReadContents(config["additional_special_tokens"]),
            TokenizerClass = config["tokenizer_class"].AsTextOrNull() ?? ClassByModel(folder),
            AddsPrefixSpace = ReadFlag(config["add_prefix_space"]),
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
                ?? throw new TokenizerFileException(File, $"{name} is '{token}', which the tokenizer does not have");
        }
    }

    /// <summary>A class's name without its ending: the fast form of a tokenizer and the slow one are the same to a reader.</summary>
    internal static string WithoutFast(string tokenizerClass) =>
        tokenizerClass.EndsWith("Fast", StringComparison.Ordinal) ? tokenizerClass[..^"Fast".Length] : tokenizerClass;

    /// <summary>Reads <c>added_tokens_decoder</c>, tokens by id; empty where it is absent.</summary>
    /// <exception cref="TokenizerFileException">An entry is damaged.</exception>
    internal List<DeclaredToken> ReadAddedTokens() => _addedTokens.IsMissing ? [] :
    [
        .. _addedTokens.Members().Select(member => int.TryParse(member.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? new DeclaredToken(AddedTokens.ReadToken(member.Value, id), member.Value.Error)
            : throw member.Value.Error("should have an id for its key", "a whole number")),
    ];

    private static string? ClassByModel(string folder) => ModelTypeOf(folder) is { } type ? ClassOfModel.GetValueOrDefault(type) : null;

    /// <summary>What the folder's config.json says of the model's type; null where it says nothing.</summary>
    internal static string? ModelTypeOf(string folder)
    {
        var file = Path.Combine(folder, "config.json");
        if (!System.IO.File.Exists(file)) return null;
        return JsonField.ReadFile(file)["model_type"].AsTextOrNull();
    }

    private static void ReadTokens(JsonField file, Dictionary<string, string> tokens)
    {
        foreach (var name in TokenNames)
        {
            var field = file[name];
            if (field.IsMissing) continue;
            tokens[name] = ReadContent(field);
        }
    }

    private static string[] ReadContents(JsonField field) => field.IsMissing ? [] : [.. field.Items().Select(ReadContent)];

    /// <summary>Older files hold the whole added token instead of its text.</summary>
    private static string ReadContent(JsonField field) => field.IsObject ? field["content"].AsText() : field.AsText();

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
