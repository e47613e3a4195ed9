namespace Meft.Cli.Views;

/// <summary>Words behind a title, in lines that fit.</summary>
internal static class TitledText
{
    /// <summary>Writes them; lines after the first are indented like the first one's text. What fits one line stays as it is.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="title">The title with what stands between it and the words.</param>
    /// <param name="words">The words.</param>
    /// <param name="width">The most letters of a line; a single longer word is not broken.</param>
    public static void Write(TextWriter text, string title, string words, int width)
    {
        if (title.Length + words.Length <= width)
        {
            text.WriteLine(title + words);
            return;
        }
        var line = title;
        foreach (var word in words.Split(' '))
        {
            if (line.Length > title.Length && line.Length + 1 + word.Length > width)
            {
                text.WriteLine(line);
                line = new string(' ', title.Length);
            }
            line += line.Length > title.Length ? " " + word : word;
        }
        text.WriteLine(line);
    }
}
