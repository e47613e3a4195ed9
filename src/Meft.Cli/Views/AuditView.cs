using Meft.Core.Data;
using Spectre.Console;

namespace Meft.Cli.Views;

/// <summary>
/// What became of the rows before the first step. On a terminal that has colours, trained text is green and the rest grey; elsewhere trained
/// text stands between ⟦ and ⟧.
/// </summary>
internal static class AuditView
{
    private static readonly Style Trained = new(Color.Green), Untrained = new(Color.Grey), Warning = new(Color.Yellow);

    /// <summary>Writes a run's audit as plain text.</summary>
    public static void Write(RunAudit audit, TextWriter text)
    {
        foreach (var line in Lines(audit)) text.WriteLine(line.Plain);
    }

    /// <summary>Writes the audit of one set of files as plain text.</summary>
    public static void Write(string title, DataAudit audit, TextWriter text)
    {
        foreach (var line in Lines(title, audit)) text.WriteLine(line.Plain);
    }

    /// <summary>Draws a run's audit.</summary>
    public static void Write(RunAudit audit, IAnsiConsole console) => Draw(Lines(audit), console);

    /// <summary>Draws the audit of rows beside an error that names those which are refused.</summary>
    public static void WriteBesideError(string title, DataAudit audit, IAnsiConsole console) => Draw(Lines(title, audit, namesRows: false), console);

    private static void Draw(IEnumerable<Line> lines, IAnsiConsole console)
    {
        var hasColours = console.Profile.Capabilities.ColorSystem != ColorSystem.NoColors;
        foreach (var line in lines)
        {
            if (hasColours)
            {
                var paragraph = new Paragraph();
                foreach (var (text, style) in line.Spans) paragraph.Append(text, style);
                console.Write(paragraph);
                console.WriteLine();
            }
            else
            {
                console.WriteLine(line.Plain);
            }
        }
    }

    private static IEnumerable<Line> Lines(RunAudit audit) =>
    [
        .. Lines("data.train", audit.Train),
        .. audit.Validation is { } validation ? Lines("data.validation", validation) : [],
        .. audit.Overlap is { } overlap ? Lines(overlap) : [],
    ];

    private static IEnumerable<Line> Lines(RowOverlap overlap)
    {
        if (overlap.IdenticalRows > 0)
            yield return Line.Warn($"warning: {Rows(overlap.IdenticalRows, "of data.validation is", "of data.validation are")} in data.train too: {Places(overlap.FirstRows, overlap.IdenticalRows)}");
        if (overlap.IdenticalPrompts > 0)
        {
            yield return Line.Warn(
                $"warning: {Rows(overlap.IdenticalPrompts, "more of data.validation has", "more of data.validation have")} the prompt of a row in data.train, and another answer: "
                + Places(overlap.FirstPrompts, overlap.IdenticalPrompts));
        }
    }

    private static string Places(IReadOnlyList<SharedRow> shared, int count) =>
        string.Join(", ", shared.Select(s => $"{s.Validation} = {s.Train}")) + (count > shared.Count ? ", …" : "");

    private static IEnumerable<Line> Lines(string title, DataAudit audit, bool namesRows = true)
    {
        yield return Line.Of($"{title}: {Rows(audit.RowsRead, "read", "read")}, {audit.RowsKept:N0} to train on, {audit.Tokens:N0} tokens, {audit.TrainedTokens:N0} of them trained");
        if (audit.RefusedRows > 0)
        {
            var nothing = audit.RowsWithNothingToTrain > 0 ? $" ({audit.RowsWithNothingToTrain:N0} with nothing to train on)" : "";
            yield return Line.Warn($"  cannot be used   {Rows(audit.RefusedRows)}{nothing}");
            if (namesRows)
                foreach (var row in audit.Refused) yield return Line.Of($"    {row.Place}: {VisibleText.Of(row.Reason)}");
            if (namesRows && audit.RefusedRows > audit.Refused.Count) yield return Line.Of($"    and {audit.RefusedRows - audit.Refused.Count:N0} more");
        }
        if (audit.RowsTooLong > 0)
        {
            var what = audit.TruncatedRows > 0 ? $", cut off: {audit.TokensLost:N0} tokens lost" : audit.DroppedRows > 0 ? $", left out: {audit.TokensLost:N0} tokens lost" : "";
            yield return Line.Warn($"  too long         {Rows(audit.RowsTooLong)} of more than {audit.MaxLength:N0} tokens{what}");
            if (namesRows) yield return Line.Of($"    the longest: {string.Join(", ", audit.Longest.Select(r => $"{r.Place} ({r.Tokens:N0})"))}");
        }
        if (audit.CutTexts > 0) yield return Line.Of($"  cut              {audit.CutTexts:N0} {(audit.CutTexts == 1 ? "text" : "texts")} of more than {audit.MaxLength:N0} tokens into several rows, no token lost");
        if (audit.SplitConversations > 0) yield return Line.Of($"  split            {Rows(audit.SplitConversations)}: the template shows an answer differently once others follow");
        if (audit.RowsWithoutEnd > 0) yield return Line.Warn($"  without an end   {Rows(audit.RowsWithoutEnd)} whose last trained token is no end token");
        if (audit.Lengths is { } lengths)
            yield return Line.Of($"  tokens a row     p50 {lengths.P50:N0}, p90 {lengths.P90:N0}, p99 {lengths.P99:N0}, longest {lengths.Max:N0}");
        foreach (var row in audit.Shown)
        {
            yield return Line.Of($"  {row.Which}: {row.Place}, {row.Tokens:N0} tokens, {row.TrainedTokens:N0} trained");
            foreach (var line in TextOf(row)) yield return line;
        }
    }

    /// <summary>The text of a row, its line ends kept, each line set in.</summary>
    private static IEnumerable<Line> TextOf(ShownRow row)
    {
        List<(string, Style?)> spans = [("    ", null)];
        var plain = new System.Text.StringBuilder("    ");
        foreach (var part in row.Parts)
        {
            if (part.IsTrained) plain.Append('⟦');
            var lines = VisibleText.Of(part.Text).Split('\n');
            for (var i = 0; i < lines.Length; i++)
            {
                if (i > 0)
                {
                    yield return new Line(plain.ToString(), spans);
                    spans = [("    ", null)];
                    plain.Clear().Append("    ");
                }
                spans.Add((lines[i], part.IsTrained ? Trained : Untrained));
                plain.Append(lines[i]);
            }
            if (part.IsTrained) plain.Append('⟧');
        }
        yield return new Line(plain.ToString(), spans);
    }

    private static string Rows(int count, string one = "", string many = "") =>
        $"{count:N0} {(count == 1 ? "row" : "rows")} {(count == 1 ? one : many)}".TrimEnd();

    private sealed record Line(string Plain, IReadOnlyList<(string Text, Style? Style)> Spans)
    {
        public static Line Of(string text) => new(text, [(text, null)]);

        public static Line Warn(string text) => new(text, [(text, Warning)]);
    }
}
