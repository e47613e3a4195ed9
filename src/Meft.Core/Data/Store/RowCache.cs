using System.Globalization;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Formats;
using Meft.Core.Machine;
using Meft.Core.Storage;

namespace Meft.Core.Data.Store;

/// <summary>Rows as they are held.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Audit">What became of the files' rows.</param>
/// <param name="Remark">What the user should know; null for nothing.</param>
internal sealed record CachedRows(IReadOnlyList<TokenRow> Rows, DataAudit Audit, string? Remark = null);

/// <summary>
/// Keeps the tokens of large data on disk. Rows are held in memory until they are more than <see cref="MemoryBytes"/>; then they go to a file that later
/// runs find again by the content of all they follow from. A file that is damaged, of another version or of other data is made anew. Runs that make
/// the same file at once each write their own, and the last one stays. Files not used for a month are removed.
/// </summary>
/// <param name="folder">Where the files are; made where it is not there.</param>
/// <param name="modelFolder">Where the model's tokenizer files are.</param>
public sealed class RowCache(string folder, string modelFolder)
{
    private static readonly TimeSpan KeptUnused = TimeSpan.FromDays(30), KeptUnfinished = TimeSpan.FromDays(1);

    /// <summary>Rows of more bytes go to disk. Below, they take less memory than the program itself, and no file is worth keeping.</summary>
    public long MemoryBytes { get; init; } = 64L << 20;

    /// <summary>Data files of fewer bytes in all are not looked up: tokenising them is a matter of seconds.</summary>
    public long LookUpBytes { get; init; } = 16L << 20;

    /// <summary>How much memory rows may take where no file can be written; null for half of what the machine has.</summary>
    public long? MostMemoryBytes { get; init; }

    /// <summary>The GGUF file that holds the model's tokenizer or chat template; null where the folder holds both.</summary>
    public string? GgufPath { get; init; }

    /// <summary>The cache of this user, in the folder of <see cref="UserCache"/>.</summary>
    public static RowCache OfUser(ModelLocation model) => new(Path.Combine(UserCache.Folder(), "rows"), model.Folder)
    {
        GgufPath = model.TokenizerPath == model.Folder && model.ChatTemplatePath == model.Folder ? null : model.GgufPath,
    };

    /// <summary>The rows of files: from the cache, or read, and then kept there if they are many.</summary>
    /// <param name="files">The data files.</param>
    /// <param name="data">The settings.</param>
    /// <param name="limits">What the model takes.</param>
    /// <param name="read">Begins to read the rows: a stream, and what was counted once it has ended.</param>
    /// <exception cref="RunFailedException">The rows fit neither in memory nor on disk.</exception>
    internal CachedRows Load(
        IReadOnlyList<string> files, DataConfig data, ModelLimits limits, Func<(IEnumerable<TokenRow> Rows, Func<DataAudit> Audit)> read)
    {
        var stamps = StampsOf(files);
        var key = new Lazy<byte[]>(() => RowCacheKey.Of(files, data, limits, modelFolder, GgufPath));
        if (stamps.Sum(s => s.Length) >= LookUpBytes && Find(key.Value, files) is { } stored) return new CachedRows(stored, stored.Audit);

        var (rows, audit) = read();
        using var stream = rows.GetEnumerator();
        var held = new List<TokenRow>();
        if (Hold(held, stream, MemoryBytes)) return new CachedRows(new ListedRows(held), audit());

        try
        {
            var written = Write(key.Value, files, held, stream, audit, stamps);
            return new CachedRows(written, written.Audit);
        }
        catch (RowFileException e)
        {
            return InMemory(read, e);
        }
    }

    /// <summary>The file of a key.</summary>
    internal string PathOf(byte[] key) => Path.Combine(folder, $"{Convert.ToHexStringLower(key)[..32]}.rows");

    /// <summary>Takes rows from a stream; whether it ended before they were more than so many bytes.</summary>
    private static bool Hold(List<TokenRow> held, IEnumerator<TokenRow> stream, long mostBytes)
    {
        const int Overhead = 120; // two arrays, the row, its place in the list
        var bytes = 0L;
        while (stream.MoveNext())
        {
            held.Add(stream.Current);
            bytes += 2L * sizeof(int) * stream.Current.Length + Overhead;
            if (bytes > mostBytes) return false;
        }
        return true;
    }

    private StoredRows? Find(byte[] key, IReadOnlyList<string> files)
    {
        var path = PathOf(key);
        if (StoredRows.TryOpen(path, key, files, verify: true) is not { } rows) return null;
        Try(() => File.SetLastWriteTimeUtc(path, DateTime.UtcNow)); // it is in use
        return rows;
    }

    /// <summary>Writes the rows held and those that follow.</summary>
    /// <exception cref="RowFileException">The file cannot be written.</exception>
    private StoredRows Write(
        byte[] key, IReadOnlyList<string> files, List<TokenRow> held, IEnumerator<TokenRow> stream, Func<DataAudit> audit,
        List<(long Length, DateTime Written)> stamps)
    {
        var path = PathOf(key);
        try
        {
            Directory.CreateDirectory(folder);
            Sweep();
            AtomicFile.Write(path, file =>
            {
                var writer = new RowFileWriter(file, files);
                foreach (var row in held) writer.Add(row);
                held.Clear();
                while (stream.MoveNext()) writer.Add(stream.Current);
                if (!StampsOf(files).SequenceEqual(stamps))
                    throw new InvalidInputException("a data file was changed while it was read", string.Join(", ", files), null, "Start again");
                writer.Finish(key, audit());
            });
        }
        catch (Exception e) when (e is RunFailedException or IOException or UnauthorizedAccessException)
        {
            throw new RowFileException(e);
        }
        // It has just been written; another run's file of the same key holds the same rows.
        return StoredRows.TryOpen(path, key, files, verify: false) ?? throw new RowFileException(new IOException("the file that was written cannot be read"));
    }

    /// <summary>Rows that no file can take, if there is memory for them.</summary>
    private CachedRows InMemory(Func<(IEnumerable<TokenRow> Rows, Func<DataAudit> Audit)> read, RowFileException failure)
    {
        var most = MostMemoryBytes ?? MemoryLimits.Read().UsableBytes / 2 ?? long.MaxValue;
        var (rows, audit) = read();
        using var stream = rows.GetEnumerator();
        var held = new List<TokenRow>();
        if (Hold(held, stream, most))
        {
            return new CachedRows(
                new ListedRows(held), audit(),
                $"the tokens of the rows stay in memory, for they cannot be kept in {folder}: {failure.Message} ({UserCache.Variable} names another folder)");
        }
        throw new RunFailedException(
            string.Create(CultureInfo.InvariantCulture, $"the rows take more than {most >> 20} MiB of memory, and their tokens cannot be kept on disk: ")
            + failure.Message, folder, null, $"Make room there, or name a folder on another disk in {UserCache.Variable}", failure.InnerException);
    }

    /// <summary>Removes files that were not used for long, and what runs that were killed left unfinished.</summary>
    private void Sweep()
    {
        var now = DateTime.UtcNow;
        Try(() =>
        {
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles())
            {
                var kept = file.Name.EndsWith(".rows", StringComparison.Ordinal) ? KeptUnused
                    : file.Name.StartsWith(".meft-", StringComparison.Ordinal) ? KeptUnfinished
                    : TimeSpan.MaxValue;
                if (now - file.LastWriteTimeUtc > kept) file.Delete();
            }
        });
    }

    /// <summary>Does what is of no consequence if it fails.</summary>
    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static List<(long Length, DateTime Written)> StampsOf(IReadOnlyList<string> files) =>
        [.. files.Select(f => new FileInfo(f)).Select(f => f.Exists ? (f.Length, f.LastWriteTimeUtc) : (0, default))];

    /// <summary>The file of rows cannot be written; a cache alone is no reason to stop.</summary>
    private sealed class RowFileException(Exception cause) : Exception((cause as MeftException)?.Problem ?? cause.Message, cause);
}
