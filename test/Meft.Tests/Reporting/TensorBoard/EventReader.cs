using Meft.Reporting.TensorBoard;
using Shouldly;
using Tensorboard;

namespace Meft.Tests.Reporting.TensorBoard;

/// <summary>Reads event files as TensorBoard does: records until one is not whole; a session's start takes back the steps from its own on.</summary>
internal static class EventReader
{
    /// <summary>The events of a file, in order; check values are verified.</summary>
    public static List<Event> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var events = new List<Event>();
        for (var at = 0; at + 16 <= bytes.Length;)
        {
            var length = (int)BitConverter.ToUInt64(bytes, at);
            if (at + 16 + length > bytes.Length) break;
            BitConverter.ToUInt32(bytes, at + 8).ShouldBe(RecordFile.MaskedCrc(bytes.AsSpan(at, 8)));
            BitConverter.ToUInt32(bytes, at + 12 + length).ShouldBe(RecordFile.MaskedCrc(bytes.AsSpan(at + 12, length)));
            events.Add(Event.Parser.ParseFrom(bytes, at + 12, length));
            at += 16 + length;
        }
        return events;
    }

    /// <summary>The values of a tag over all event files of a folder.</summary>
    public static List<(long Step, Summary.Types.Value Value)> Series(string folder, string tag)
    {
        var series = new List<(long Step, Summary.Types.Value Value)>();
        foreach (var entry in EventFile.In(folder).SelectMany(Read))
        {
            if (entry.WhatCase == Event.WhatOneofCase.SessionLog && entry.SessionLog.Status == SessionLog.Types.SessionStatus.Start)
                series.RemoveAll(s => s.Step >= entry.Step);
            if (entry.WhatCase == Event.WhatOneofCase.Summary) series.AddRange(entry.Summary.Value.Where(v => v.Tag == tag).Select(v => (entry.Step, v)));
        }
        return series;
    }
}
