using System.Globalization;
using System.Text.RegularExpressions;

namespace Meft.Core.Comparisons.Reading;

/// <summary>Names of folders, made of names of methods.</summary>
internal static partial class MethodId
{
    private const int MostCharacters = 80;

    /// <summary>
    /// A folder's name for each: letters and digits of ASCII, small, a hyphen for every run of other characters; a number after it where the same would
    /// stand twice.
    /// </summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> names)
    {
        var ids = new List<string>();
        foreach (var name in names)
        {
            var plain = Others().Replace(name.ToLowerInvariant(), "-").Trim('-');
            if (plain.Length > MostCharacters) plain = plain[..MostCharacters].TrimEnd('-');
            if (plain.Length == 0) plain = "method";
            var id = plain;
            for (var number = 2; ids.Contains(id); number++) id = $"{plain}-{number.ToString(CultureInfo.InvariantCulture)}";
            ids.Add(id);
        }
        return ids;
    }

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex Others();
}
