using System.Globalization;
using System.Text.RegularExpressions;

namespace Meft.Core.Formats;

/// <summary>Lists of tensor names as people read them.</summary>
public static partial class TensorNames
{
    private const int LongestShown = 300;

    /// <summary>
    /// All the names, those that differ in the number of their layer alone as one: <c>model.layers.{0-29}.mlp.up_proj.weight</c>, <c>blk.{0-29}.ffn_up.weight</c>. What follows a name, as
    /// what is wrong with it, is treated as a part of it. A name that a file made megabytes long is cut.
    /// </summary>
    /// <param name="names">The names.</param>
    /// <param name="most">So many groups at most; the others are counted.</param>
    public static string Listed(IEnumerable<string> names, int most = int.MaxValue)
    {
        var groups = Grouped(names.Select(name => name.Length > LongestShown ? name[..LongestShown] + "…" : name)).ToList();
        return string.Join(", ", groups.Take(most)) + (groups.Count > most ? $" and {groups.Count - most} more" : "");
    }

    private static IEnumerable<string> Grouped(IEnumerable<string> names)
    {
        var groups = new OrderedDictionary<(string Before, string After), List<int>>();
        foreach (var name in names)
        {
            var match = LayerNumber().Match(name);
            var key = match.Success ? (name[..match.Index], name[(match.Index + match.Length)..]) : (name, "");
            if (!groups.TryGetValue(key, out var numbers)) groups.Add(key, numbers = []);
            if (match.Success) numbers.Add(int.Parse(match.ValueSpan, CultureInfo.InvariantCulture));
        }
        foreach (var ((before, after), numbers) in groups)
        {
            yield return numbers.Count switch
            {
                0 => before,
                1 => $"{before}{numbers[0]}{after}",
                _ => $"{before}{{{string.Join(",", Ranges(numbers))}}}{after}",
            };
        }
    }

    private static IEnumerable<string> Ranges(List<int> numbers)
    {
        numbers.Sort();
        for (var i = 0; i < numbers.Count;)
        {
            var end = i;
            while (end + 1 < numbers.Count && numbers[end + 1] <= numbers[end] + 1) end++;
            yield return numbers[end] == numbers[i] ? $"{numbers[i]}" : $"{numbers[i]}-{numbers[end]}";
            i = end + 1;
        }
    }

    // As names are written: no leading zeros; nine digits fit an int.
    [GeneratedRegex(@"(?<=\.layers\.|^blk\.)(0|[1-9][0-9]{0,8})(?=\.)", RegexOptions.CultureInvariant)]
    private static partial Regex LayerNumber();
}
