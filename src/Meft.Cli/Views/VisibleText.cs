namespace Meft.Cli.Views;

/// <summary>Texts that files bring: they must not move a terminal's cursor or change its colours.</summary>
internal static class VisibleText
{
    /// <summary>A text with its control characters as pictures; line feeds stay.</summary>
    public static string Of(string text) => text.Any(IsControl) ? string.Concat(text.Select(c => IsControl(c) ? Picture(c) : c)) : text;

    private static bool IsControl(char c) => char.IsControl(c) && c != '\n';

    private static char Picture(char c) => c < 0x20 ? (char)(0x2400 + c) : '\u2421';
}
