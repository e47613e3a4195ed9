namespace Meft.TestSupport;

/// <summary>
/// Finds the shared assets (models, data sets, fixtures): the folder named by <c>MEFT_ASSETS</c>,
/// else <c>../shared/assets</c> beside the repository. Fixture tests enumerate what lies there.
/// </summary>
public static class Assets
{
    /// <summary>The assets folder, or null where there is none.</summary>
    public static string? Root { get; } = FindRoot();

    /// <summary>The path of an asset; skips the calling test, with the reason, where it is absent.</summary>
    public static string Require(params string[] parts)
    {
        Assert.SkipWhen(Root is null, "no assets: set MEFT_ASSETS to the assets folder (none at ../shared/assets beside the repository)");
        var path = Path.Combine([Root!, .. parts]);
        Assert.SkipUnless(Path.Exists(path), $"asset is absent: {Path.Combine(parts)}");
        return path;
    }

    /// <summary>The path of an asset, or null where it is absent. For enumerating theory data.</summary>
    public static string? Find(params string[] parts)
    {
        if (Root is null) return null;
        var path = Path.Combine([Root, .. parts]);
        return Path.Exists(path) ? path : null;
    }

    /// <summary>
    /// Theory data from what an asset folder holds. Where the folder is absent gives the single row "(absent)",
    /// so that the test is reported as skipped by <see cref="Require"/> instead of vanishing.
    /// </summary>
    public static TheoryData<string> Enumerate(string folder, Func<string, IEnumerable<string>> names)
    {
        var path = Find(folder.Split('/'));
        var found = path is null ? [] : names(path).Order(StringComparer.Ordinal).ToList();
        return found.Count == 0 ? ["(absent)"] : [.. found];
    }

    /// <summary>The names of the folders directly below an asset folder.</summary>
    public static TheoryData<string> Folders(string folder) =>
        Enumerate(folder, path => Directory.EnumerateDirectories(path).Select(d => Path.GetFileName(d)!));

    /// <summary>The folders directly below a folder; none where that is absent.</summary>
    public static IEnumerable<string> FoldersBelow(string path, string folder) =>
        Directory.Exists(Path.Combine(path, folder)) ? Directory.EnumerateDirectories(Path.Combine(path, folder)) : [];

    /// <summary>The names, without ending, of the files directly below an asset folder that match a pattern.</summary>
    public static TheoryData<string> Files(string folder, string pattern) =>
        Enumerate(folder, path => Directory.EnumerateFiles(path, pattern).Select(f => Path.GetFileNameWithoutExtension(f)!));

    private static string? FindRoot()
    {
        if (Environment.GetEnvironmentVariable("MEFT_ASSETS") is { Length: > 0 } named)
            return Directory.Exists(named) ? Path.GetFullPath(named) : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Meft.slnx"))) continue;
            var beside = Path.Combine(folder.FullName, "..", "shared", "assets");
            return Directory.Exists(beside) ? Path.GetFullPath(beside) : null;
        }
        return null;
    }
}
