using System.Globalization;
using System.Text.RegularExpressions;

namespace Meft.Core.Evaluation.Metrics;

/// <summary>
/// The number that a worked answer ends with. GSM8K (Cobbe et al. 2021) marks it by <c>####</c>; of a text without the mark the last
/// number is taken.
/// </summary>
public static partial class FinalNumber
{
    private const string Mark = "####";

    /// <summary>1 where both texts end with the same number, else 0; 0 too where one has none.</summary>
    public static double Score(string prediction, string answer) => Find(prediction) is { } number && number == Find(answer) ? 1 : 0;

    /// <summary>
    /// The number after the last mark, else the last number; null where there is none. Commas between groups of three digits do not count, nor do zeros
    /// at the end of a fraction: <c>$1,200.00</c> is 1200. A number after a mark ends the search, and a mark without one has none.
    /// </summary>
    public static decimal? Find(string text)
    {
        var mark = text.LastIndexOf(Mark, StringComparison.Ordinal);
        var found = mark < 0 ? Number().Matches(text).LastOrDefault() : Number().Match(text, mark + Mark.Length);
        if (found is not { Success: true }) return null;
        var digits = found.Value.Replace(",", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal);
        return decimal.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }

    // A minus counts where it is a sign and not the dash of "3-4" or a range.
    [GeneratedRegex(@"(?:(?<![\w.)])-\$?)?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|(?<!\w)\.[0-9]+")]
    private static partial Regex Number();
}
