using System.Text;
using Meft.Training.Samples;
using static Meft.Reporting.ReportText;

namespace Meft.Reporting;

/// <summary>The part of a report that shows what the model wrote before and after.</summary>
internal static class SampleSection
{
    private const int MostPrompts = 20, MostCharacters = 1000;

    /// <summary>Every prompt with what was written first and last; empty without samples.</summary>
    public static string Html(IReadOnlyList<Sample> samples)
    {
        var prompts = samples.GroupBy(s => s.Index).OrderBy(g => g.Key).ToList();
        if (prompts.Count == 0) return "";
        var page = new StringBuilder();
        foreach (var prompt in prompts.Take(MostPrompts))
        {
            var (first, last) = (prompt.MinBy(s => s.Step)!, prompt.MaxBy(s => s.Step)!);
            page.Append($"<div class=\"sample\"><p class=\"prompt\">{Text(last.Prompt)}</p><dl>");
            void Line(string title, string text, string style = "") => page.Append($"<dt>{ReportText.Html(title)}</dt><dd class=\"{style}\">{Text(text)}</dd>");
            if (last.Expected is { } expected) Line("expected", expected);
            var before = last.Base ?? (first.Step == 0 ? first.Text : null);
            if (before is not null) Line("base", before);
            else if (first.Step < last.Step) Line(Invariant($"step {first.Step:N0}"), first.Text);
            var style = last.Expected is { } wanted && last.Text.Trim() == wanted.Trim() ? "same" : "";
            if (last.Step > 0) Line(Invariant($"step {last.Step:N0}"), last.Text, style);
            else if (before != last.Text) Line("step 0", last.Text, style); // an adapter that did not start as nothing
            page.Append("</dl></div>");
        }
        if (prompts.Count > MostPrompts) page.Append(Invariant($"<p class=\"note\">{prompts.Count - MostPrompts:N0} more prompts are in samples.jsonl.</p>"));
        return page.ToString();
    }

    /// <summary>Space around a text says nothing and would make columns uneven.</summary>
    private static string Text(string text) => text.Trim() is not { Length: > 0 } words ? "<i>nothing</i>"
        : ReportText.Html(words.Length <= MostCharacters ? words : words[..MostCharacters] + " …");
}
