using System.Globalization;
using System.Text.RegularExpressions;

namespace Meft.Core.Storage;

/// <summary>Names of files and folders, made of names that people gave.</summary>
public static partial class PlainNames
{
    private const int MostCharacters = 80;

    /// <summary>
    /// One for each: letters and digits of ASCII, small, a hyphen for every run of other characters; a number after it where the same would stand twice.
    /// </summary>
    /// <param name="names">The names.</param>
    /// <param name="otherwise">What stands for a name without letters and digits.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<string> names, string otherwise)
    {
        var ids = new List<string>();
        foreach (var name in names)
        {
            var plain = Others().Replace(name.ToLowerInvariant(), "-").Trim('-');
            if (plain.Length > MostCharacters) plain = plain[..MostCharacters].TrimEnd('-');
            if (plain.Length == 0) plain = otherwise;
            var id = plain;
            for (var number = 2; ids.Contains(id); number++) id = $"{plain}-{number.ToString(CultureInfo.InvariantCulture)}";
            ids.Add(id);
        }
        return ids;
    }

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex Others();
}
