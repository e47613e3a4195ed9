using Meft.Core.Configuration;
using Meft.Core.Configuration.Types;
using Meft.Core.Evaluation.Metrics;
using Meft.Core.Evaluation.Records;

namespace Meft.Core.Evaluation.Tasks;

/// <summary>Makes a task of its file, and collects every error on the way.</summary>
/// <param name="file">The file as errors name it.</param>
/// <param name="folder">What a relative data path is relative to; null where the file lies in no folder.</param>
internal sealed class TaskReader(string file, string? folder)
{
    /// <summary>The name of the only part of a task that names none.</summary>
    public const string OnlyPart = "all";

    private const int MostTokens = 1 << 20;

    private static readonly IReadOnlyList<string> DataKeys = ["path", "rows", "group"];
    private static readonly IReadOnlyList<string> DecodingKeys = ["max_new_tokens", "stop"];

    /// <summary>The keys of a part, with the kinds that each is for; null for all.</summary>
    private static readonly IReadOnlyDictionary<string, QuestionKind[]?> PartKeys = new Dictionary<string, QuestionKind[]?>
    {
        ["kind"] = null,
        ["when"] = null,
        ["each"] = null,
        ["prompt"] = [QuestionKind.Generate, QuestionKind.Choose],
        ["answers"] = [QuestionKind.Generate],
        ["no_answer"] = [QuestionKind.Generate],
        ["metrics"] = [QuestionKind.Generate],
        ["decoding"] = [QuestionKind.Generate],
        ["choices"] = [QuestionKind.Choose],
        ["choice"] = [QuestionKind.Choose],
        ["right"] = [QuestionKind.Choose],
        ["normalize"] = [QuestionKind.Choose],
        ["text"] = [QuestionKind.Perplexity],
        ["window"] = [QuestionKind.Perplexity],
        ["stride"] = [QuestionKind.Perplexity],
        ["over_length"] = [QuestionKind.Generate, QuestionKind.Choose],
        ["examples"] = [QuestionKind.Generate, QuestionKind.Choose],
        ["separator"] = [QuestionKind.Generate, QuestionKind.Choose],
    };

    private static readonly TemplateType Template = new();
    private static readonly ExpressionType Expression = new();
    private static readonly OneOrMoreType<string> Texts = new(new TextType(), "a text or a list of texts");

    private readonly ConfigErrors _errors = new(file);

    /// <summary>Every key that a task file may have, groups before a dot.</summary>
    public static IReadOnlyList<string> Keys =>
        ["description", .. DataKeys.Select(key => $"data.{key}"), "parts", .. PartKeys.Keys, .. DecodingKeys.Select(key => $"decoding.{key}")];

    /// <summary>Reads the task.</summary>
    /// <exception cref="ConfigException">All errors together.</exception>
    public EvalTask Read(string name, string source, ConfigNode? document)
    {
        var top = new ConfigGroup(document, "", ["description", "data", "parts", .. PartKeys.Keys], _errors);
        var data = new ConfigGroup(top.Find("data")?.Value, "data.", DataKeys, _errors);
        var path = data.ReadOrNull("path", new TextType());
        if (path is not null && folder is null) data.Refuse("path", "a task without a folder has no data beside it", "leaving the key out");
        var task = new EvalTask
        {
            Name = name,
            Description = top.Read("description", new TextType(), ""),
            Source = source,
            DataPath = path is null || folder is null ? null : Path.GetFullPath(path, folder),
            Rows = data.Read("rows", new RecordPathType(), RecordPath.Root),
            Group = data.ReadOrNull("group", Template),
            Parts = [.. Parts(top)],
        };
        return _errors.All is { Count: > 0 } errors ? throw new ConfigException(file, errors, kind: "task") : task;
    }

    private IEnumerable<TaskPart> Parts(ConfigGroup top)
    {
        if (top.Find("parts") is not { } parts)
        {
            yield return Part(OnlyPart, top);
            yield break;
        }
        if (parts.Value is not ConfigMapping { Entries.Count: > 0 } mapping)
        {
            top.Refuse("parts", $"{parts.Value.Describe()} stands where parts by name are expected", "a group for each part");
            yield break;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            var prefix = $"parts.{entry.Key}.";
            if (!seen.Add(entry.Key)) _errors.Add(entry.Place, $"parts.{entry.Key}", "stands twice", "each part once");
            else yield return Part(entry.Key, new ConfigGroup(entry.Value, prefix, [.. PartKeys.Keys], _errors, top));
        }
    }

    private TaskPart Part(string name, ConfigGroup section)
    {
        var decoding = new ConfigGroup(section.Find("decoding")?.Value, "decoding.", DecodingKeys, _errors);
        var kind = section.Read("kind", new ChoiceType<QuestionKind>(), QuestionKind.Generate);
        var metrics = new OneOrMoreType<IAnswerMetric>(new MetricType(), string.Join(", ", AnswerMetrics.Names));
        var part = new TaskPart
        {
            Name = name,
            Kind = kind,
            When = section.ReadOrNull("when", Expression),
            Each = section.ReadOrNull("each", Expression),
            Prompt = section.Read(kind == QuestionKind.Perplexity ? "text" : "prompt", Template, RowTemplate.Parse("{{ text }}")),
            Answers = section.ReadOrNull("answers", Expression),
            NoAnswer = section.ReadOrNull("no_answer", new TextType()),
            Metrics = kind == QuestionKind.Generate ? section.Read("metrics", metrics, [AnswerMetrics.Find("exact_match")!]) : [],
            MaxNewTokens = decoding.Read("max_new_tokens", new IntegerType<int>(1, MostTokens), 32),
            Stop = decoding.Read("stop", Texts, []),
            OverLength = section.Read("over_length", new ChoiceType<LongPrompt>(), LongPrompt.Refuse),
            Choices = section.ReadOrNull("choices", Expression),
            Choice = section.Read("choice", Template, RowTemplate.Parse("{{ choice }}")),
            Right = section.ReadOrNull("right", Expression),
            Normalize = section.Read("normalize", new ChoiceType<LengthNormalization>(), LengthNormalization.None),
            Window = section.ReadOrNull("window", new IntegerType<int>(2, MostTokens)),
            Stride = section.ReadOrNull("stride", new IntegerType<int>(1, MostTokens)),
            Examples = section.Read("examples", new ExamplesType(), []),
            Separator = section.Read("separator", new AnyTextType(), "\n\n"),
        };
        CheckPart(part, section);
        return part;
    }

    private static void CheckPart(TaskPart part, ConfigGroup section)
    {
        IReadOnlyList<string> required = part.Kind switch
        {
            QuestionKind.Generate => ["prompt", "answers"],
            QuestionKind.Choose => ["prompt", "choices", "right"],
            _ => [],
        };
        foreach (var key in required.Where(key => section.Find(key) is null))
            section.Refuse(key, "is missing", $"{PhraseOf(key)}, for kind: {ChoiceName.Of(part.Kind)}");
        foreach (var entry in section.Own)
        {
            if (!PartKeys.TryGetValue(entry.Key, out var kinds) || kinds is null || kinds.Contains(part.Kind)) continue;
            section.Refuse(
                entry.Key, $"would have no effect: the key is for kind: {string.Join(" | ", kinds.Select(ChoiceName.Of))}", "leaving the key out");
        }
        if (part is { Window: { } window, Stride: { } stride } && stride >= window)
            section.Refuse("stride", $"{stride} is not below the window, {window}", "less than window: the first token of a window is not scored");
    }

    private static string PhraseOf(string key) => key == "prompt" ? Template.Allowed : Expression.Allowed;
}
