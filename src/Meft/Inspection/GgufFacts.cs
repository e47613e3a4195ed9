namespace Meft.Inspection;

/// <summary>What the metadata of a GGUF file say.</summary>
/// <param name="Version">The version of the format.</param>
/// <param name="Architecture">Its name there; null where they do not say it.</param>
/// <param name="Tokenizer">The kind of its tokenizer, and how that splits texts; null where it has none.</param>
/// <param name="ChatTemplate">Whether it holds a chat template.</param>
public sealed record GgufFacts(int Version, string? Architecture, string? Tokenizer, bool ChatTemplate);
