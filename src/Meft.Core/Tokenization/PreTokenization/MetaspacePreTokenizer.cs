namespace Meft.Core.Tokenization.PreTokenization;

/// <summary>Which pieces get a word-start mark before their first character.</summary>
internal enum PrependScheme
{
    /// <summary>Every piece.</summary>
    Always,

    /// <summary>The piece that begins the text.</summary>
    First,

    /// <summary>None.</summary>
    Never,
}

/// <summary>Replaces spaces by a visible mark (▁, as SentencePiece does) and splits before every mark.</summary>
internal sealed class MetaspacePreTokenizer(char mark, PrependScheme scheme, bool split) : IPreTokenizer
{
    public void Split(TextPiece piece, List<TextPiece> output)
    {
        if (piece.Text.IsEmpty) return;
        var text = piece.Text.ToString().Replace(' ', mark);
        var prepends = scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.StartsText);
        if (prepends && text[0] != mark) text = mark + text;
        if (!split)
        {
            output.Add(piece with { Text = text.AsMemory() });
            return;
        }
        for (var start = 0; start < text.Length;)
        {
            var next = text.IndexOf(mark, start + 1);
            var end = next < 0 ? text.Length : next;
            output.Add(new TextPiece(text.AsMemory(start..end), piece.StartsText && start == 0));
            start = end;
        }
    }
}
