using System.Text;

namespace Meft.Generation;

/// <summary>Lets text through until a stop string is complete; what may become one is held back.</summary>
/// <param name="stops">The stop strings, none of them empty.</param>
internal sealed class StopFilter(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>Whether a stop string has come.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes text and returns what is certain not to belong to a stop string.</summary>
    public string Append(string text)
    {
        if (Stopped) return "";
        if (stops.Count == 0) return text;
        var all = _held.Append(text).ToString();
        _held.Clear();
        var at = First(all);
        if (at >= 0)
        {
            Stopped = true;
            return all[..at];
        }
        var certain = all.Length - LongestBeginning(all);
        _held.Append(all, certain, all.Length - certain);
        return all[..certain];
    }

    /// <summary>Ends the text and returns what was held back.</summary>
    public string Complete() => Stopped ? "" : _held.ToString();

    private int First(string text)
    {
        var first = -1;
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (first < 0 || at < first)) first = at;
        }
        return first;
    }

    /// <summary>The length of the longest end of the text that a stop string begins with.</summary>
    private int LongestBeginning(string text)
    {
        for (var length = Math.Min(text.Length, stops.Max(s => s.Length) - 1); length > 0; length--)
        {
            var end = text[^length..];
            if (stops.Any(stop => stop.StartsWith(end, StringComparison.Ordinal))) return length;
        }
        return 0;
    }
}
