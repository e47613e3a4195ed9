namespace Meft.Core.Errors;

/// <summary>Texts that a file brings, in errors.</summary>
internal static class FileText
{
    private const int MostCharacters = 200;

    /// <summary>A name or value of a file's own as errors show it, cut after 200 characters: it may be megabytes of anything.</summary>
    public static string Shown(string text) => text.Length > MostCharacters ? text[..MostCharacters] + "…" : text;
}
