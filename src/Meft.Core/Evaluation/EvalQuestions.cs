using Meft.Core.Chat.Jinja;
using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Records;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Evaluation;

/// <summary>Asks the questions of a task of the records of its data. All are made, and so checked, before the first is answered.</summary>
public static class EvalQuestions
{
    /// <summary>The files that a data path stands for: itself, or in a folder those that can be read, by name.</summary>
    /// <exception cref="InvalidInputException">There is nothing there that can be read.</exception>
    public static IReadOnlyList<string> FilesOf(string data) => RecordFile.FilesOf(data);

    /// <summary>Makes the questions, in the order of the records, and for a record in the order of the task's parts.</summary>
    /// <param name="task">The task.</param>
    /// <param name="data">A data file, or a folder of them.</param>
    /// <param name="limit">The most records to ask, as <see cref="RecordSelection.First"/>; null for all.</param>
    /// <exception cref="InvalidInputException">The data cannot be read, or a record does not fit the task: the error names its file and line.</exception>
    public static IReadOnlyList<EvalQuestion> Read(EvalTask task, string data, int? limit = null) => Read(task, data, new RecordSelection(First: limit));

    /// <summary>Makes the questions of some of the records.</summary>
    /// <param name="task">The task.</param>
    /// <param name="data">A data file, or a folder of them.</param>
    /// <param name="selection">
    /// Which records. Those that are left out before the last one taken are checked too. Of a task of nothing but texts all records are taken that
    /// are not left out at the beginning: its <see cref="RecordSelection.First"/> counts windows, which <see cref="EvalItems.Encode"/> makes.
    /// </param>
    /// <exception cref="InvalidInputException">The data cannot be read, or a record does not fit the task: the error names its file and line.</exception>
    public static IReadOnlyList<EvalQuestion> Read(EvalTask task, string data, RecordSelection selection)
    {
        var questions = new List<EvalQuestion>();
        var clusters = new Dictionary<string, int>(StringComparer.Ordinal);
        var chosen = new ChosenRecords(selection);
        var first = task.Limited(selection.First).Records;
        var records = 0;
        foreach (var record in RecordFile.FilesOf(data).SelectMany(file => RecordFile.Read(file, task.Rows)))
        {
            if (records == first) break;
            var made = task.Parts.SelectMany(part => new RecordQuestions(part, record, records, ClusterOf(record)).Make()).ToList();
            // What no part asks is no record of the task, and does not count.
            if (made.Count == 0 || !chosen.Takes(record)) continue;
            questions.AddRange(made);
            records++;
        }
        return questions.Count > 0 ? questions : throw Nothing(task, data, chosen);

        int ClusterOf(EvalRecord record)
        {
            if (task.Group is null) return records;
            try
            {
                var group = task.Group.Render(record.Fields);
                if (!clusters.TryGetValue(group, out var cluster)) clusters.Add(group, cluster = clusters.Count);
                return cluster;
            }
            catch (JinjaException e)
            {
                throw RecordQuestions.DoesNotFit(record, "the task's data.group", e.Message, e);
            }
        }
    }

    private static InvalidInputException Nothing(EvalTask task, string data, ChosenRecords chosen)
    {
        if (chosen.Skipped > 0)
            return new InvalidInputException($"the data holds no record beyond the {chosen.Skipped} that skip leaves out", data, $"a skip below {chosen.Skipped}");
        return new InvalidInputException(
            task.Parts.Any(part => part.When is not null) ? "the data holds no record that the task asks about" : "the data holds no record", data,
            "at least one record", "Check the path and, in the task, data.rows and when");
    }
}

/// <summary>The questions that one part asks of one record.</summary>
internal sealed class RecordQuestions(TaskPart part, EvalRecord record, int index, int cluster)
{
    private const string Item = "item", Choice = "choice";

    /// <summary>The longest answer that an error repeats whole, in characters.</summary>
    private const int LongAnswer = 80;

    /// <summary>Makes them.</summary>
    /// <exception cref="InvalidInputException">The record does not fit the part.</exception>
    public IReadOnlyList<EvalQuestion> Make()
    {
        if (part.Each is null) return Asks(record.Fields) ? [Question(record.Fields, 1)] : [];
        var items = Guarded("each", () => part.Each.Evaluate(record.Fields));
        if (items is not ListValue list) throw Refuse("each", $"gives {Describe(items)}", "a list");
        var asked = list.Items.Select(WithItem).Where(Asks).ToList();
        return [.. asked.Select(fields => Question(fields, 1.0 / asked.Count))];
    }

    /// <summary>The error of a record that a key cannot be carried out on.</summary>
    public static InvalidInputException DoesNotFit(EvalRecord record, string key, string problem, Exception? cause = null) => new(
        $"the record does not fit {key}: {problem}", record.Origin.ToString(),
        record.Fields.Count == 0 ? null : $"fields of this record: {string.Join(", ", record.Fields.Keys)}", null, cause);

    private Dictionary<string, Value> WithItem(Value item) => new(record.Fields) { [Item] = item };

    private bool Asks(IReadOnlyDictionary<string, Value> fields) => part.When is null || Guarded("when", () => part.When.Holds(fields));

    private EvalQuestion Question(IReadOnlyDictionary<string, Value> fields, double weight)
    {
        var shown = Guarded(part.Kind == QuestionKind.Perplexity ? "text" : "prompt", () => part.Prompt.Render(fields));
        switch (part.Kind)
        {
            case QuestionKind.Perplexity:
                return new TextQuestion(shown) { Part = part, Origin = record.Origin, Record = index, Cluster = cluster, Weight = weight };
            case QuestionKind.Generate:
                return new GenerateQuestion(WithExamples(shown), shown, Answers(fields))
                { Part = part, Origin = record.Origin, Record = index, Cluster = cluster, Weight = weight };
            default:
                var values = Texts("choices", part.Choices!, fields);
                if (values.Count < 2) throw Refuse("choices", $"gives {values.Count} of them", "at least two choices");
                return new ChooseQuestion(WithExamples(shown), shown, [.. values.Select(value => ChoiceText(value, fields))], Right(values, fields))
                { Part = part, Origin = record.Origin, Record = index, Cluster = cluster, Weight = weight };
        }
    }

    private string WithExamples(string prompt) => string.Concat(part.Examples.Select(
        example => Guarded("examples", () => part.Prompt.Render(example.Fields)) + example.Answer + part.Separator)) + prompt;

    private List<string> Answers(IReadOnlyDictionary<string, Value> fields)
    {
        // The SQuAD script leaves out answers of which nothing is left when normalised; here it is those without any text.
        var answers = Texts("answers", part.Answers!, fields).Where(answer => !string.IsNullOrWhiteSpace(answer)).ToList();
        var problems = answers.Select(answer => (Answer: answer, Problem: part.Metrics.Select(metric => metric.Unreachable(answer)).FirstOrDefault(p => p is not null))).ToList();
        if (problems.Count > 0 && problems.All(p => p.Problem is not null))
            throw Refuse("answers", $"gives \"{Shortened(problems[0].Answer)}\", which {problems[0].Problem}, so that no prediction could be right", "an answer that its metrics can read");
        if (answers.Count > 0 || part.NoAnswer is not null) return answers;
        throw Refuse("answers", "gives no answer", "at least one text that is not empty; or set no_answer where the right answer may be that there is none");
    }

    private string ChoiceText(string value, IReadOnlyDictionary<string, Value> fields)
    {
        var text = Guarded("choice", () => part.Choice.Render(new Dictionary<string, Value>(fields) { [Choice] = new TextValue(value) }));
        return text.Length > 0 ? text : throw Refuse("choice", "gives an empty text", "at least one character");
    }

    /// <summary>The index of the right choice: a number from 0, the text of a choice, or a letter from A.</summary>
    private int Right(IReadOnlyList<string> choices, IReadOnlyDictionary<string, Value> fields)
    {
        var value = Guarded("right", () => part.Right!.Evaluate(fields));
        var text = value is TextValue or IntegerValue ? ValueText.Plain(value) : throw Refuse("right", $"gives {Describe(value)}", Allowed());
        var index = value is IntegerValue number ? number.Value : Enumerable.Range(0, choices.Count).FirstOrDefault(i => choices[i] == text, -1);
        if (index < 0 && value is TextValue && text is [var letter]) index = char.ToUpperInvariant(letter) - 'A';
        return index >= 0 && index < choices.Count ? (int)index : throw Refuse("right", $"gives {Describe(value)}", Allowed());

        string Allowed() => $"a number from 0 to {choices.Count - 1}, one of the choices, or a letter from A to {(char)('A' + choices.Count - 1)}";
    }

    private IReadOnlyList<string> Texts(string key, RowExpression expression, IReadOnlyDictionary<string, Value> fields)
    {
        var value = Guarded(key, () => expression.Evaluate(fields));
        IReadOnlyList<Value> items = value switch
        {
            ListValue list => list.Items,
            NoneValue => [],
            _ => [value],
        };
        if (items.FirstOrDefault(item => item is not (TextValue or NumberValue)) is { } wrong)
            throw Refuse(key, $"gives {Describe(wrong)}", "a text, a number, or a list of these");
        return [.. items.Select(ValueText.Plain)];
    }

    private T Guarded<T>(string key, Func<T> evaluate)
    {
        try
        {
            return evaluate();
        }
        catch (JinjaException e)
        {
            throw DoesNotFit(record, $"the task's {key}{(part.Name.Length > 0 ? $" (part {part.Name})" : "")}", e.Message, e);
        }
    }

    private InvalidInputException Refuse(string key, string problem, string allowed) =>
        new($"the task's {key} (part {part.Name}) {problem}", record.Origin.ToString(), allowed);

    private static string Shortened(string text) => text.Length <= LongAnswer ? text : text[..LongAnswer] + "…";

    private static string Describe(Value value) => value switch
    {
        TextValue text => $"the text \"{text.Text}\"",
        ListValue list => $"a list of {list.Items.Count}",
        NoneValue => "null",
        NumberValue => ValueText.Plain(value),
        _ => "an object",
    };
}
