using System.Text;

namespace Meft.Core.Evaluation.Metrics;

/// <summary>
/// An answer without what should not count: the rules of the SQuAD evaluation script (Rajpurkar et al. 2016, <c>normalize_answer</c> of
/// evaluate-v1.1.py and evaluate-v2.0.py): lower case, no ASCII punctuation, no articles, single blanks.
/// </summary>
public static class AnswerText
{
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    /// <summary>The normalised text.</summary>
    public static string Normalize(string text) => string.Join(' ', Words(text));

    /// <summary>The words of the normalised text, in order.</summary>
    public static IReadOnlyList<string> Words(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in text.ToLowerInvariant())
        {
            if (!Punctuation.Contains(c)) kept.Append(c);
        }
        var withoutArticles = WithoutArticles(kept.ToString());
        return withoutArticles.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>
    /// A blank in place of every article that stands between word boundaries as Python's <c>\b</c> has them: an article beside a character that is
    /// neither letter, digit nor underscore goes too.
    /// </summary>
    private static string WithoutArticles(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (!IsWord(text[i]))
            {
                result.Append(text[i++]);
                continue;
            }
            var end = i;
            while (end < text.Length && IsWord(text[end])) end++;
            var word = text.AsSpan(i, end - i);
            if (word is "a" or "an" or "the") result.Append(' ');
            else result.Append(word);
            i = end;
        }
        return result.ToString();
    }

    // Combining marks are no word characters to Python's regular expressions; letters beyond the basic plane are.
    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_' || char.IsSurrogate(c) || char.IsNumber(c);
}
