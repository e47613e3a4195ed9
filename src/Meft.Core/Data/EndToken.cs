using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>Finds the token that a model's trained texts end with.</summary>
public static class EndToken
{
    private const string TokenizerFile = "tokenizer_config.json";

    /// <summary>
    /// The first end token of the folder's config.json; in a folder without one (a tokenizer alone), the <c>eos_token</c> of its
    /// tokenizer_config.json. Null where neither names one.
    /// </summary>
    /// <param name="model">Where the model lies.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <exception cref="InvalidInputException">A file is damaged or names a token that the tokenizer does not have.</exception>
    public static int? Find(ModelLocation model, ITokenizer tokenizer)
    {
        if (model.HasConfig) return model.ReadConfig().EndTokens is [var first, ..] ? first : null;
        var file = Path.Combine(model.Folder, TokenizerFile);
        return File.Exists(file) && Spelling(file) is { } spelling
            ? tokenizer.IdOf(spelling) ?? throw new InvalidInputException($"eos_token is '{spelling}', which the tokenizer does not have", file)
            : null;
    }

    /// <summary>The token's spelling; older files wrap it in an object.</summary>
    private static string? Spelling(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("eos_token", out var token)) return null;
            if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content)) token = content;
            return token.ValueKind == JsonValueKind.String ? token.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new InvalidInputException($"the file cannot be read: {e.Message.ReplaceLineEndings(" ")}", file, "a JSON object", null, e);
        }
    }
}
