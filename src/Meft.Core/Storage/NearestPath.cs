using Meft.Core.Configuration;

namespace Meft.Core.Storage;

/// <summary>Finds the path that someone probably meant.</summary>
public static class NearestPath
{
    /// <summary>The most entries of a folder that are compared: a suggestion is not worth reading a huge one.</summary>
    private const int MostCompared = 4096;

    /// <summary>
    /// An existing path beside a missing one whose last part differs in a few letters, or, where a folder on the way is the one that is
    /// missing, that folder's nearest neighbour; null where nothing is close.
    /// </summary>
    public static string? IfClose(string path)
    {
        var missing = path.TrimEnd(Path.DirectorySeparatorChar);
        var below = "";
        while (true)
        {
            var parent = Path.GetDirectoryName(missing);
            if (parent is null) return null;
            var folder = parent.Length == 0 ? "." : parent;
            if (!Directory.Exists(folder))
            {
                below = Path.Combine(Path.GetFileName(missing), below);
                missing = parent;
                continue;
            }
            var nearest = NearestName.IfClose(Path.GetFileName(missing), Names(folder));
            if (nearest is null) return null;
            var found = Path.Combine(parent, nearest);
            var whole = Path.Combine(found, below);
            return Path.Exists(whole) ? whole : found;
        }
    }

    private static List<string> Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder).Take(MostCompared).Select(entry => Path.GetFileName(entry))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
