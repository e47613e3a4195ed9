namespace Meft.Core.Evaluation.Records;

/// <summary>
/// Where the records stand in a JSON document: names with dots between them, <c>[]</c> for every item of a list, for example
/// <c>data[].paragraphs[].qas[]</c>. Empty for the document itself: its items where it is a list.
/// </summary>
internal sealed class RecordPath
{
    /// <summary>What a path looks like, as a phrase.</summary>
    public const string Allowed = "names with dots between them and [] for every item of a list, for example data[].paragraphs[].qas[]";

    /// <summary>The document itself.</summary>
    public static readonly RecordPath Root = new([]);

    private RecordPath(IReadOnlyList<string?> steps) => Steps = steps;

    /// <summary>The steps from the outside in: a member's name, or null for the items of a list.</summary>
    public IReadOnlyList<string?> Steps { get; }

    /// <summary>Reads a path; null where the text is none.</summary>
    public static RecordPath? Parse(string text)
    {
        var steps = new List<string?>();
        for (var rest = text; rest.Length > 0;)
        {
            if (rest.StartsWith("[]", StringComparison.Ordinal))
            {
                steps.Add(null);
                rest = rest[2..];
                if (rest.StartsWith('.') && rest.Length > 1) rest = rest[1..];
                else if (rest.Length > 0 && rest[0] != '[') return null;
                continue;
            }
            var end = rest.IndexOfAny(['.', '[']);
            var name = end < 0 ? rest : rest[..end];
            if (name.Length == 0 || name.Contains(']', StringComparison.Ordinal)) return null;
            steps.Add(name);
            rest = end < 0 ? "" : rest[end..];
            if (!rest.StartsWith('.')) continue;
            rest = rest[1..];
            if (rest.Length == 0 || rest[0] is '.' or '[') return null;
        }
        return new RecordPath(steps);
    }

    /// <summary>The first steps as they are written.</summary>
    public string Describe(int steps)
    {
        var text = "";
        foreach (var step in Steps.Take(steps)) text += step is null ? "[]" : text.Length == 0 ? step : $".{step}";
        return text.Length == 0 ? "the document" : text;
    }
}
