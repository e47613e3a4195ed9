using System.Text.Json.Serialization;

namespace Meft.Training.Samples;

/// <summary>A prompt as the model continued it after some step: a line of <c>samples.jsonl</c>, with the fields' names there in lower case.</summary>
/// <param name="Step">After how many steps; 0 before the first.</param>
/// <param name="Index">The prompt's index in the run.</param>
/// <param name="Prompt">The prompt's text.</param>
/// <param name="Text">What the model wrote, without special tokens.</param>
/// <param name="Expected">What the row says; null for a prompt that is of no row.</param>
/// <param name="Base">What the base wrote before it was trained, or writes without the adapter; null where that is not known any more.</param>
public sealed record Sample([property: JsonRequired] int Step, [property: JsonRequired] int Index, string Prompt, string Text, string? Expected, string? Base);

/// <summary>All samples of a step.</summary>
/// <param name="Step">After how many steps.</param>
/// <param name="Samples">In the order of the prompts.</param>
/// <param name="Seconds">What they took.</param>
public sealed record SampledStep(int Step, IReadOnlyList<Sample> Samples, double Seconds)
{
    private const int MostCharacters = 160;

    /// <summary>Lines for a user: the prompts, and beside what is expected what the base and the trained model write.</summary>
    public IEnumerable<string> Lines()
    {
        yield return FormattableString.Invariant($"samples after step {Step} ({Seconds:F1} s)");
        foreach (var sample in Samples)
        {
            yield return $"  {sample.Index + 1}  prompt    {Short(sample.Prompt)}";
            if (sample.Expected is { } expected) yield return $"     expected  {Short(expected)}";
            if (sample.Base is { } before && Step > 0) yield return $"     base      {Short(before)}";
            yield return $"     {(Step > 0 ? "trained " : "now     ")}  {Short(sample.Text)}";
        }
    }

    /// <summary>On one line, control characters left out; of what is long, the beginning.</summary>
    private static string Short(string text)
    {
        var line = string.Join(' ', text.Split([' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries));
        line = string.Concat(line.EnumerateRunes().Where(r => System.Text.Rune.GetUnicodeCategory(r) != System.Globalization.UnicodeCategory.Control).Take(MostCharacters + 1).Select(r => r.ToString()));
        return line.Length <= MostCharacters ? line : line[..MostCharacters] + "…";
    }
}
