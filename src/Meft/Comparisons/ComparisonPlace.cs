using Meft.Core.Comparisons;
using Meft.Core.Errors;
using Meft.Core.Storage;
using Meft.Training.Runs;

namespace Meft.Comparisons;

/// <summary>Whether a comparison may have its output folder; looks and changes nothing.</summary>
internal static class ComparisonPlace
{
    /// <summary>Folders of a comparison beside its files.</summary>
    public const string Rows = "rows", Before = "before", Methods = "methods";

    /// <summary>What a comparison that was killed before it wrote its first result may have left.</summary>
    private static readonly string[] OfBeginning = [RunLock.FileName, Comparison.ConfigFile, Rows, Before, Methods];

    /// <summary>Refuses a folder in which something else lies, or that cannot be written.</summary>
    /// <exception cref="InvalidInputException">It is such a one.</exception>
    public static void Require(ComparisonConfig config)
    {
        var path = config.Output;
        if (File.Exists(path)) throw new InvalidInputException("the output is a file, not a folder", path, "a folder that need not exist yet", "change output");
        if (Directory.Exists(path) && !File.Exists(Path.Combine(path, Comparison.ResultFile)) && Foreign(path) is { } foreign)
        {
            throw new InvalidInputException(
                $"the output folder is no comparison's, and something lies in it: {foreign}", path, "a new or empty folder, or that of a comparison", "change output");
        }
        WritablePlace.Require(path, "the output folder", "change output, or make room and check permissions");
    }

    private static string? Foreign(string path) => Directory.EnumerateFileSystemEntries(path).Where(entry => !AtomicFile.IsTemporary(entry))
        .Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal).FirstOrDefault(name => !OfBeginning.Contains(name));
}
