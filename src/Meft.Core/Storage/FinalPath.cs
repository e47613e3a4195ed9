namespace Meft.Core.Storage;

/// <summary>Where a path leads once every link on its way is followed.</summary>
public static class FinalPath
{
    /// <summary>As many as Linux follows before it calls a path a loop.</summary>
    private const int MostLinks = 40;

    /// <summary>The full path without links, of the folders and of the last part; parts that do not exist stay as they are.</summary>
    /// <exception cref="IOException">The links run in a circle.</exception>
    public static string Of(string path)
    {
        var full = Path.GetFullPath(path);
        var resolved = Path.GetPathRoot(full)!;
        var left = Parts(full[resolved.Length..]);
        for (var links = 0; left.TryPop(out var part);)
        {
            // A ".." of a link's target: the folder above is that of the place reached, not of the path as it was written.
            var next = part == ".." ? Path.GetDirectoryName(resolved) ?? resolved : Path.Combine(resolved, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }
            if (++links > MostLinks) throw new IOException($"'{full}' is a circle of links");
            if (Path.IsPathRooted(target)) resolved = Path.GetPathRoot(target)!;
            foreach (var inner in Parts(target[(Path.GetPathRoot(target) ?? "").Length..]).Reverse()) left.Push(inner);
        }
        return resolved;

        // The last part lies deepest, so that a link's parts come before those that were to follow it.
        static Stack<string> Parts(string relative) =>
            new(relative.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries)
                .Where(part => part != ".").Reverse());
    }

    /// <summary>Whether two paths lead to the same file.</summary>
    public static bool AreSame(string one, string other) => string.Equals(
        Of(one), Of(other),
        OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
}
