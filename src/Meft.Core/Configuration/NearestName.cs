namespace Meft.Core.Configuration;

/// <summary>Finds the known name that someone probably meant.</summary>
public static class NearestName
{
    /// <summary>No known name is nearly as long: what follows in a longer one is not compared.</summary>
    private const int LongestCompared = 200;

    /// <summary>The known name with the fewest edits to <paramref name="name"/>; the first of equals; null if none is known.</summary>
    public static string? Of(string name, IEnumerable<string> known) => known.MinBy(k => Distance(Cut(name), k));

    /// <summary>As <see cref="Of"/>, but null where even the nearest is another word: more than a third of its letters differ.</summary>
    public static string? IfClose(string name, IEnumerable<string> known)
    {
        if (Of(name, known) is not { } nearest) return null;
        var allowed = Math.Max(1, Math.Max(name.Length, nearest.Length) / 3);
        return name.Length - nearest.Length <= allowed && Distance(name, nearest) <= allowed ? nearest : null;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that make one name the other, without regard to case.</summary>
    public static int Distance(string from, string to)
    {
        var a = from.ToLowerInvariant();
        var b = to.ToLowerInvariant();
        var cost = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) cost[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) cost[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replace, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }

    private static string Cut(string name) => name.Length <= LongestCompared ? name : name[..LongestCompared];
}
