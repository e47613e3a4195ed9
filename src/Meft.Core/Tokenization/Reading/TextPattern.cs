namespace Meft.Core.Tokenization.Reading;

/// <summary>Reads a pattern of tokenizer.json: <c>{"String": …}</c>, taken literally, or <c>{"Regex": …}</c>.</summary>
internal static class TextPattern
{
    public static CodePointRegex Read(JsonField field)
    {
        if (field.IsText) return CodePointRegex.Literal(field.AsText(), field.File);
        if (field["String"] is { IsMissing: false } literal) return CodePointRegex.Literal(literal.AsText(), field.File);
        if (field["Regex"] is not { IsMissing: false } regex)
            throw field.Error("should hold a pattern", "{\"String\": …} or {\"Regex\": …}");
        try
        {
            return CodePointRegex.Pattern(regex.AsText(), field.File);
        }
        catch (ArgumentException error)
        {
            throw regex.Error($"is a regular expression that is not supported: {error.Message.TrimEnd('.')}");
        }
    }
}
