using System.Globalization;
using Google.Protobuf;
using Meft.Core.Errors;
using Tensorboard;

namespace Meft.Reporting.TensorBoard;

/// <summary>
/// TensorBoard's event file of one process: scalars and texts by step. Each event is written whole before the call returns. A resumed run goes on in a
/// file of its own, which begins by taking back what earlier ones say of the steps that are taken again.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private const string Prefix = "events.out.tfevents.";
    private readonly FileStream _file;
    private readonly TimeProvider _time;

    private EventFile(FileStream file, TimeProvider time) => (_file, _time) = (file, time);

    /// <summary>The file.</summary>
    public string Path => _file.Name;

    /// <summary>Makes a new event file, which TensorBoard reads after those that are there.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="fromStep">Steps already taken: what earlier files hold of later ones counts no more.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static EventFile Create(string folder, int fromStep, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var seconds = Math.Max(time.GetUtcNow().ToUnixTimeSeconds(), In(folder).Select(Seconds).DefaultIfEmpty(-1).Max() + 1);
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{seconds:D10}.{HostName()}.{Environment.ProcessId}.0");
        var path = System.IO.Path.Combine(folder, name);
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
            var file = new EventFile(stream, time);
            file.Write(new Event { FileVersion = "brain.Event:2" }, 0);
            if (fromStep > 0) file.Write(new Event { SessionLog = new SessionLog { Status = SessionLog.Types.SessionStatus.Start } }, fromStep + 1);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw Failure(path, e);
        }
    }

    /// <summary>The event files of a folder, in the order that TensorBoard reads them.</summary>
    public static IReadOnlyList<string> In(string folder) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, Prefix + "*").Order(StringComparer.Ordinal)] : [];

    /// <summary>Appends numbers of a step, those that are not finite left out.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Scalars(int step, params IEnumerable<(string Tag, double Value)> scalars)
    {
        var summary = new Summary();
        foreach (var (tag, value) in scalars)
        {
            if (double.IsFinite(value)) summary.Value.Add(new Summary.Types.Value { Tag = tag, SimpleValue = (float)value });
        }
        if (summary.Value.Count > 0) Write(new Event { Summary = summary }, step);
    }

    /// <summary>Appends a text of a step, which TensorBoard shows as Markdown.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Text(int step, string tag, string markdown)
    {
        var tensor = new TensorProto { Dtype = DataType.DtString, TensorShape = new TensorShapeProto() };
        tensor.TensorShape.Dim.Add(new TensorShapeProto.Types.Dim { Size = 1 });
        tensor.StringVal.Add(ByteString.CopyFromUtf8(markdown));
        var metadata = new SummaryMetadata { PluginData = new SummaryMetadata.Types.PluginData { PluginName = "text" } };
        var summary = new Summary();
        summary.Value.Add(new Summary.Types.Value { Tag = tag, Metadata = metadata, Tensor = tensor });
        Write(new Event { Summary = summary }, step);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Write(Event entry, int step)
    {
        (entry.Step, entry.WallTime) = (step, (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
        var whole = _file.Position;
        try
        {
            _file.Write(RecordFile.Frame(entry.ToByteArray()));
        }
        catch (IOException e)
        {
            CutBack(whole);
            throw Failure(Path, e);
        }
    }

    private void CutBack(long length)
    {
        try
        {
            _file.SetLength(length);
            _file.Seek(length, SeekOrigin.Begin);
        }
        catch (IOException)
        {
            // A reader stops at the half record.
        }
    }

    private static long Seconds(string path) =>
        long.TryParse(System.IO.Path.GetFileName(path)[Prefix.Length..].Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;

    private static string HostName() => string.Concat(Environment.MachineName.Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-'));

    private static RunFailedException Failure(string path, Exception e) =>
        new($"TensorBoard's event file cannot be written: {e.Message}", path, null, "Check the disk's free space and the folder's permissions", e);
}
