using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Training.Runs;

/// <summary>Whether a run's output folder may be used as its config and the command line ask; looks and changes nothing.</summary>
internal static class OutputPlace
{
    /// <summary>Refuses an output folder that cannot be used.</summary>
    /// <exception cref="InvalidInputException">The folder exists and may not be touched, is no run that could be resumed, or cannot be written.</exception>
    public static void Require(RunConfig config, ExistingRun existing)
    {
        var path = config.Output;
        if (File.Exists(path)) throw new InvalidInputException("the output is a file, not a folder", path, "a folder that need not exist yet", "change output");
        var missing = Missing(path);
        var isRun = missing.Count == 0;
        var occupied = isRun || IsOccupied(path);
        switch (existing)
        {
            case ExistingRun.Refuse when occupied:
                throw new InvalidInputException(
                    "the output folder exists and is not empty", path, "a new or empty folder",
                    isRun ? "use --resume to go on, --overwrite to start anew, or change output" : "change output");
            case ExistingRun.Overwrite when occupied && !isRun:
                throw new InvalidInputException(
                    $"the output folder is not a run (it lacks {string.Join(" and ", missing)}), so --overwrite does not touch it", path, null,
                    "change output");
            case ExistingRun.Overwrite when InputWithin(config) is { } input:
                throw new InvalidInputException(
                    "the run needs this file and it lies in the output folder that --overwrite would clear", input, null, "change output, or move the file");
            case ExistingRun.Resume when !isRun:
                throw new InvalidInputException(
                    Directory.Exists(path)
                        ? $"there is no run to resume: {string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} missing"
                        : "there is no run to resume: the folder does not exist",
                    path, "the output folder of a run", "correct output, or leave --resume away to start a run");
            case ExistingRun.Resume:
                var own = Path.Combine(path, RunFolder.ConfigFileName);
                ResumableConfig.Require(RunConfig.Load(own, []), config, own);
                break;
        }
        WritablePlace.Require(path, "the output folder", "change output, or make room and check permissions");
    }

    /// <summary>Refuses a folder that is no run.</summary>
    /// <exception cref="InvalidInputException">It is not there, or lacks what makes it a run.</exception>
    public static void RequireRun(string path)
    {
        if (!Directory.Exists(path)) throw new InvalidInputException("there is no such folder", path, "the output folder of a run");
        var missing = Missing(path);
        if (missing.Count > 0)
        {
            throw new InvalidInputException(
                $"the folder is not a run: {string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} missing", path, "the output folder of a run");
        }
    }

    /// <summary>The files that make a folder a run and are not there.</summary>
    private static List<string> Missing(string path) =>
        [.. new[] { RunFolder.ConfigFileName, RunFolder.ManifestFileName }.Where(name => !File.Exists(Path.Combine(path, name)))];

    /// <summary>Whether anything lies in a folder but what a run that was killed before it began leaves behind.</summary>
    private static bool IsOccupied(string path)
    {
        if (!Directory.Exists(path)) return false;
        var entries = Directory.EnumerateFileSystemEntries(path).Where(e => !AtomicFile.IsTemporary(e)).Select(Path.GetFileName).ToList();
        return entries.Count > 0 && !(entries.Contains(RunLock.FileName) && entries.All(e => e is RunLock.FileName or RunFolder.ManifestFileName));
    }

    /// <summary>A file or folder that the run reads and that lies within its output; null if none does.</summary>
    private static string? InputWithin(RunConfig config)
    {
        var output = Path.TrimEndingDirectorySeparator(config.Output) + Path.DirectorySeparatorChar;
        return config.Data.Train.Concat(config.Data.Validation).Append(config.Model).Append(config.Method.Init ?? "")
            .FirstOrDefault(input => input.StartsWith(output, StringComparison.Ordinal));
    }
}
