using System.Text;
using Meft.Core.Errors;
using Meft.Core.Storage;

namespace Meft.Core.Evaluation.Results;

/// <summary>
/// A file of rows that grows while an evaluation runs: its identity on the first line, then a row a line, in the order in which they came, until
/// <see cref="Complete"/> puts them in the order of the items. What another evaluation has begun is refused; what the same one has begun is gone on with.
/// </summary>
public sealed class EvalRowsFile : IDisposable
{
    private readonly string _path;
    private readonly EvalIdentity _identity;
    private readonly SortedDictionary<int, EvalRow> _rows = [];
    private LockFile? _lock;
    private FileStream? _stream;

    private EvalRowsFile(string path, EvalIdentity identity) => (_path, _identity) = (path, identity);

    /// <summary>The rows that are there, by index.</summary>
    public IReadOnlyDictionary<int, EvalRow> Rows => _rows;

    /// <summary>Opens a file of rows, or begins one.</summary>
    /// <exception cref="InvalidInputException">
    /// The file holds something else, or the rows of another evaluation: what differs is named; or another process is writing it.
    /// </exception>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static EvalRowsFile Open(string path, EvalIdentity identity)
    {
        var file = new EvalRowsFile(path, identity);
        try
        {
            file._lock = LockFile.TryTake(LockOf(path)) ?? throw new InvalidInputException(
                $"another process is writing these rows: {LockFile.NameOfHolder(LockOf(path))}", path, null, "Wait until it is done, or name another file with --output");
            file._stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            file.ReadWhatIsThere();
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw Failure(path, e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds rows and hands them to the operating system, so that they outlive the process.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Append(IReadOnlyList<EvalRow> rows)
    {
        foreach (var row in rows) _rows[row.Index] = row;
        Write(string.Concat(rows.Select(row => row.Json + "\n")));
    }

    /// <summary>Puts the rows in order, where they are not: the same evaluation leaves the same file, however often it was interrupted.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Complete()
    {
        _stream?.Dispose();
        _stream = null;
        AtomicFile.WriteAllText(_path, _identity.ToLine() + "\n" + string.Concat(_rows.Values.Select(row => row.Json + "\n")));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream?.Dispose();
        _stream = null;
        _lock?.Dispose();
        _lock = null;
    }

    /// <summary>Held while a process writes the rows; the system lets go of it when the process ends.</summary>
    private static string LockOf(string path) => path + ".lock";

    private void ReadWhatIsThere()
    {
        var bytes = new byte[_stream!.Length];
        _stream.ReadExactly(bytes);
        // What an interruption cut off in the middle of a line is no row.
        var whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        var lines = Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0)
        {
            if (bytes.Length > 0 && !_identity.ToLine().StartsWith(Encoding.UTF8.GetString(bytes), StringComparison.Ordinal)) throw NotRows();
            Restart(0);
            Write(_identity.ToLine() + "\n");
            return;
        }
        var found = EvalIdentity.Read(lines[0]) ?? throw NotRows();
        if (_identity.Differences(found) is { Count: > 0 } differences)
        {
            var told = string.Join(", ", differences.Select(name =>
                $"{name} ({found.Facts.GetValueOrDefault(name, "none")} there, {_identity.Facts.GetValueOrDefault(name, "none")} now)"));
            throw new InvalidInputException(
                $"the file holds the rows of another evaluation; what differs: {told}", _path, "the file of the same evaluation, or a new one",
                "Name another file with --output, or remove this one");
        }
        foreach (var (line, i) in lines.Select((line, i) => (line, i)).Skip(1))
        {
            var row = EvalRow.Read(line) ?? throw new InvalidInputException(
                "the line is no row of an evaluation", $"{_path}:{i + 1}", null, "Name another file with --output, or remove this one");
            _rows[row.Index] = row;
        }
        Restart(whole);
    }

    private void Restart(long length)
    {
        _stream!.SetLength(length);
        _stream.Position = length;
    }

    private void Write(string text)
    {
        try
        {
            _stream!.Write(Encoding.UTF8.GetBytes(text));
            _stream.Flush();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure(_path, e);
        }
    }

    private InvalidInputException NotRows() => new(
        "the file exists and does not hold rows of an evaluation", _path, "a new file, or one that an evaluation has begun", "Name another file with --output");

    private static RunFailedException Failure(string path, Exception e) =>
        new($"the rows cannot be written: {e.Message}", path, null, "Check that the folder exists and may be written to", e);
}
