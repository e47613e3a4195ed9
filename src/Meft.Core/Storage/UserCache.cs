namespace Meft.Core.Storage;

/// <summary>Where files are kept that can be made again at any time.</summary>
public static class UserCache
{
    /// <summary>The variable that names another folder.</summary>
    public const string Variable = "MEFT_CACHE";

    /// <summary>This user's folder: <c>MEFT_CACHE</c>, else <c>XDG_CACHE_HOME/meft</c>, else <c>~/.cache/meft</c>. It need not exist.</summary>
    public static string Folder() => Folder(Environment.GetEnvironmentVariable);

    internal static string Folder(Func<string, string?> variable)
    {
        if (variable(Variable) is { Length: > 0 } named) return Path.GetFullPath(named);
        var cache = variable("XDG_CACHE_HOME");
        // The specification asks to ignore a path that is not absolute.
        if (string.IsNullOrEmpty(cache) || !Path.IsPathFullyQualified(cache))
            cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "meft");
    }
}
