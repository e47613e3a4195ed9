using Meft.Core.Tokenization.Gguf;

namespace Meft.Core.Formats.Gguf;

/// <summary>What the metadata of a GGUF file hold, for a reader who wants to know before loading.</summary>
/// <param name="Architecture">The architecture's name; null where there is none.</param>
/// <param name="Tokenizer">The kind of the tokenizer, and how it splits texts; null where there is none.</param>
/// <param name="HasChatTemplate">Whether there is a chat template.</param>
public sealed record GgufSummary(string? Architecture, string? Tokenizer, bool HasChatTemplate)
{
    /// <summary>The summary of a file.</summary>
    /// <exception cref="GgufException">A value is not of its type.</exception>
    public static GgufSummary Of(GgufFile file)
    {
        const string Architecture = "general.architecture";
        return new GgufSummary(
            file.Metadata.FindString(Architecture), GgufTokenizerReader.KindOf(file.Metadata),
            GgufTokenizerReader.HasChatTemplate(file.Metadata));
    }
}
