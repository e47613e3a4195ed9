using System.Text;
using Meft.Core.Tokenization;

namespace Meft.Core.Data;

/// <summary>The text of a row of tokens, told apart by what is trained.</summary>
internal static class RowText
{
    private const int LongestPart = 600, MostParts = 60, MostTokens = 20_000;

    /// <summary>The row as it is shown; of a long part the middle is left out. Where there is no tokenizer, ids stand for texts.</summary>
    public static ShownRow Show(TokenRow row, string which, ITokenizer tokenizer)
    {
        var parts = new List<ShownPart>();
        foreach (var (text, isTrained) in Parts(row, tokenizer))
        {
            if (parts.Count == MostParts)
            {
                parts.Add(new ShownPart("…", false));
                break;
            }
            parts.Add(new ShownPart(Shorten(text), isTrained));
        }
        return new ShownRow(row.Origin.ToString(), which, row.Length, row.TrainedTokens, parts);
    }

    private static IEnumerable<(string Text, bool IsTrained)> Parts(TokenRow row, ITokenizer tokenizer)
    {
        var read = Texts(tokenizer);
        var part = new StringBuilder();
        for (var i = 0; i < Math.Min(row.Length, MostTokens); i++)
        {
            part.Append(read.Next(row.InputIds[i]));
            var isLast = i + 1 == Math.Min(row.Length, MostTokens);
            if (!isLast && IsTrained(row, i + 1) == IsTrained(row, i)) continue;
            if (isLast) part.Append(read.Finish());
            yield return (part.ToString(), IsTrained(row, i));
            part.Clear();
        }
    }

    private static bool IsTrained(TokenRow row, int index) => index > 0 && row.Labels[index] != TokenRow.Ignored;

    private static (Func<int, string> Next, Func<string> Finish) Texts(ITokenizer tokenizer)
    {
        try
        {
            var decoder = tokenizer.CreateStreamingDecoder(skipSpecialTokens: false);
            return (decoder.Append, decoder.Complete);
        }
        catch (TokenizerFileException)
        {
            return (id => $"{id} ", () => "");
        }
    }

    private static string Shorten(string text)
    {
        if (text.Length <= LongestPart) return text;
        const int Half = LongestPart / 2;
        var start = char.IsHighSurrogate(text[Half - 1]) ? Half - 1 : Half;
        var end = text.Length - Half;
        if (char.IsLowSurrogate(text[end])) end++;
        return $"{text[..start]} […{end - start:N0} characters…] {text[end..]}";
    }
}
