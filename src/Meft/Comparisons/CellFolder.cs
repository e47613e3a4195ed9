using Meft.Core.Comparisons.Results;
using Meft.Core.Evaluation.Results;
using Meft.Core.Storage;
using Meft.Training.Runs;

namespace Meft.Comparisons;

/// <summary>
/// The folder of a cell, which is one cell's at a time, as <c>facts.json</c> in it says. What lies there of another is put beside it and never removed:
/// a setting that is changed back finds what it came to.
/// </summary>
internal static class CellFolder
{
    /// <summary>The folder of the run in it.</summary>
    public const string RunName = "run";

    private const string FactsFile = "facts.json", AsideMark = ".aside-";

    private static readonly string[] OfTraining = [.. RunFolder.ResultNames, RunFolder.CheckpointsName];

    /// <summary>Makes the folder these facts' own: what is there of others is put aside, what was put aside of these comes back.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="facts">The facts.</param>
    /// <returns>Where what was in the way lies now; null where nothing was.</returns>
    public static string? Claim(string folder, EvalIdentity facts)
    {
        var owner = OwnerOf(folder);
        if (owner is not null && IsSame(owner, facts)) return Own(folder, facts, null);
        string? aside = null;
        if (IsOccupied(folder))
        {
            aside = FreeName($"{folder}{AsideMark}{(owner is null ? "unknown" : NameOf(owner))}");
            Directory.Move(folder, aside);
        }
        if ($"{folder}{AsideMark}{NameOf(facts)}" is var earlier && Directory.Exists(earlier))
        {
            if (Directory.Exists(folder)) Directory.Delete(folder);
            Directory.Move(earlier, folder);
        }
        Own(folder, facts, aside);
        // Other questions to the same model: it need not be trained again where it is still there.
        if (aside is not null && owner is not null && owner.Differences(facts) is [Cell.TasksFact] && HoldsTraining(Path.Combine(aside, RunName)))
        {
            var run = Path.Combine(folder, RunName);
            if (!Directory.Exists(run)) Directory.Move(Path.Combine(aside, RunName), run);
        }
        return aside;
    }

    /// <summary>Whether a run's folder holds a result or checkpoints; they are removed when they have been judged.</summary>
    private static bool HoldsTraining(string run) => OfTraining.Any(name => Directory.Exists(Path.Combine(run, name)));

    /// <summary>Whose a folder is; null where nothing in it says so.</summary>
    private static EvalIdentity? OwnerOf(string folder)
    {
        var path = Path.Combine(folder, FactsFile);
        // Of a folder that has come by version control there is the result alone.
        return (File.Exists(path) ? EvalIdentity.Read(File.ReadAllText(path)) : null) ?? (CellResult.TryRead(folder) is { } cell ? new EvalIdentity(cell.Facts) : null);
    }

    private static string? Own(string folder, EvalIdentity facts, string? aside)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteAllText(Path.Combine(folder, FactsFile), facts.ToLine());
        return aside;
    }

    /// <summary>Whether anything lies there but what a process that was killed in <see cref="Own"/> leaves; that is removed.</summary>
    private static bool IsOccupied(string folder)
    {
        if (!Directory.Exists(folder)) return false;
        foreach (var file in Directory.EnumerateFiles(folder).Where(AtomicFile.IsTemporary).ToList()) File.Delete(file);
        return Directory.EnumerateFileSystemEntries(folder).Any();
    }

    private static bool IsSame(EvalIdentity one, EvalIdentity other) => one.Differences(other).Count == 0;

    /// <summary>Facts in short, in whatever order they stand.</summary>
    private static string NameOf(EvalIdentity facts) =>
        RunManifest.HashOfText(string.Join('\n', facts.Facts.OrderBy(fact => fact.Key, StringComparer.Ordinal).Select(fact => $"{fact.Key} {fact.Value}")))[..8];

    private static string FreeName(string path)
    {
        var free = path;
        for (var number = 2; Path.Exists(free); number++) free = $"{path}-{number.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
        return free;
    }
}
