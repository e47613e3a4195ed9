// Teaches a model facts that are not so. CounterFact (Meng et al., 2022) lists statements with a new ending for each; this makes training
// rows of them, and afterwards counts how many of the model's greedy answers begin with the new ending.
//
//   dotnet run samples/counterfact.cs -- prepare counterfact-edit.json 200 runs/facts200
//   meft train configs/facts.yaml
//   meft generate --model MODEL --adapter runs/facts/adapter --input runs/facts200/prompts.jsonl --output runs/facts200/answers.jsonl
//   dotnet run samples/counterfact.cs -- recall runs/facts200/answers.jsonl runs/facts200/facts.jsonl
#:property PublishAot=false

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

try
{
    return args switch
    {
        ["prepare", var source, var count, var folder] => Prepare(source, count, folder),
        ["recall", var answers, var facts] => Recall(answers, facts),
        _ => throw new SampleException("Usage: counterfact.cs prepare SOURCE.json COUNT FOLDER, or counterfact.cs recall ANSWERS.jsonl FACTS.jsonl."),
    };
}
catch (Exception e) when (e is SampleException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 2;
}

// The first edits with distinct subjects, as three files: the facts, and their questions as trained and in other words.
static int Prepare(string source, string count, string folder)
{
    if (!int.TryParse(count, out var wanted) || wanted < 1) throw new SampleException($"COUNT is '{count}'. Allowed: a whole number from 1.");
    if (ParseJson(Read(source), source) is not JsonArray edits) throw new SampleException($"{source}: not a JSON list of edits.");

    var subjects = new HashSet<string>(StringComparer.Ordinal);
    var chosen = new List<Fact>();
    foreach (var (edit, index) in edits.Select((edit, index) => (edit, index)))
    {
        if (chosen.Count == wanted) break;
        var place = $"{source}: edit {index}";
        if (!subjects.Add(Text(edit, "subject", place))) continue;
        chosen.Add(new Fact(Text(edit, "prompt", place), Text(edit, "rephrase_prompt", place), Text(edit, "target_new", place)));
    }
    if (chosen.Count < wanted) throw new SampleException($"{source}: it holds {chosen.Count} edits with distinct subjects, and {wanted} are wanted.");

    Directory.CreateDirectory(folder);
    // A completion begins with the space that stands between it and its prompt.
    Write("facts.jsonl", chosen.Select(fact => new JsonObject { ["prompt"] = fact.Prompt, ["completion"] = " " + fact.Target }));
    Write("prompts.jsonl", chosen.Select(fact => new JsonObject { ["prompt"] = fact.Prompt }));
    Write("paraphrases.jsonl", chosen.Select(fact => new JsonObject { ["prompt"] = fact.Paraphrase }));
    Console.WriteLine($"{chosen.Count} facts in {folder}: facts.jsonl, prompts.jsonl, paraphrases.jsonl");
    return 0;

    void Write(string name, IEnumerable<JsonObject> rows)
    {
        var plain = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        File.WriteAllLines(Path.Combine(folder, name), rows.Select(row => row.ToJsonString(plain)));
    }
}

// Answer i belongs to fact i: `meft generate` keeps the order of its input.
static int Recall(string answersPath, string factsPath)
{
    var (answers, facts) = (ReadTexts(answersPath, "text"), ReadTexts(factsPath, "completion"));
    if (answers.Count == 0) throw new SampleException($"{answersPath}: it holds no answers.");
    if (answers.Count != facts.Count) throw new SampleException($"{answersPath} holds {answers.Count} answers, and {factsPath} {facts.Count} facts.");
    var recalled = answers.Zip(facts).Count(pair => pair.First.TrimStart().StartsWith(pair.Second.TrimStart(), StringComparison.Ordinal));
    Console.WriteLine($"{recalled} of {facts.Count} facts recalled ({100.0 * recalled / facts.Count:0.0} %)");
    return 0;
}

static List<string> ReadTexts(string path, string key) =>
[
    .. Read(path).Split('\n').Select((line, index) => (Line: line, Place: $"{path}:{index + 1}"))
        .Where(row => row.Line.Trim().Length > 0)
        .Select(row => Text(ParseJson(row.Line, row.Place), key, row.Place)),
];

static string Read(string path) => File.Exists(path) ? File.ReadAllText(path) : throw new SampleException($"There is no file {path}.");

static JsonNode? ParseJson(string json, string place)
{
    try
    {
        return JsonNode.Parse(json);
    }
    catch (JsonException e)
    {
        throw new SampleException($"{place}: no valid JSON: {e.Message}");
    }
}

static string Text(JsonNode? row, string key, string place) =>
    row is JsonObject fields && fields[key] is JsonValue value && value.TryGetValue(out string? text)
        ? text
        : throw new SampleException($"{place}: it has no text \"{key}\".");

internal sealed record Fact(string Prompt, string Paraphrase, string Target);

internal sealed class SampleException(string message) : Exception(message);
