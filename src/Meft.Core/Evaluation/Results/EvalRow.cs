using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Core.Evaluation.Metrics;
using Meft.Core.Evaluation.Tasks;

namespace Meft.Core.Evaluation.Results;

/// <summary>What an item came to.</summary>
/// <param name="Index">The item's number.</param>
/// <param name="Scores">Its numbers by name.</param>
/// <param name="Json">The row as it is written, one JSON object on one line.</param>
public sealed record EvalRow(int Index, IReadOnlyDictionary<string, double> Scores, string Json)
{
    /// <summary>The names of the numbers of items of these kinds.</summary>
    internal const string Accuracy = "accuracy", Magnitude = "magnitude", Nll = "nll", Tokens = "tokens";

    private static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Judges the answer to a <see cref="GenerateQuestion"/>.</summary>
    /// <param name="item">The item.</param>
    /// <param name="text">What the model wrote, as it wrote it.</param>
    public static EvalRow OfAnswer(EvalItem item, string text)
    {
        var question = (GenerateQuestion)item.Question;
        var prediction = SaysNothing(question.Part, text) ? "" : text;
        IReadOnlyList<string> answers = question.Answers.Count > 0 ? question.Answers : [""];
        var scores = new OrderedDictionary<string, double>();
        foreach (var metric in question.Part.Metrics)
        {
            foreach (var (name, value) in metric.Names.Zip(metric.Score(prediction, answers))) scores[name] = value;
        }
        return Of(item, scores, json =>
        {
            json.WriteString("prompt", question.Shown);
            json.WriteString("prediction", text);
            WriteTexts(json, "answers", question.Answers);
        });
    }

    /// <summary>Judges the likelihoods of the choices of a <see cref="ChooseQuestion"/>.</summary>
    /// <param name="item">The item.</param>
    /// <param name="nll">The sum of negative log-likelihoods of each choice, in nats.</param>
    public static EvalRow OfChoices(EvalItem item, IReadOnlyList<double> nll)
    {
        var question = (ChooseQuestion)item.Question;
        var costs = nll.Select((sum, i) => ChoiceScores.Cost(
            sum, item.Rows[i].TrainedTokens, Encoding.UTF8.GetByteCount(question.Choices[i]), question.Part.Normalize)).ToList();
        var scores = new OrderedDictionary<string, double>
        {
            [Accuracy] = ChoiceScores.Accuracy(costs, question.Right),
            [Magnitude] = ChoiceScores.Magnitude(costs, question.Right),
        };
        return Of(item, scores, json =>
        {
            json.WriteString("prompt", question.Shown);
            WriteTexts(json, "choices", question.Choices);
            json.WriteNumber("right", question.Right);
            json.WriteString("normalize", ChoiceName.Of(question.Part.Normalize));
            json.WriteStartArray("cost");
            foreach (var cost in costs) json.WriteNumberValue(cost);
            json.WriteEndArray();
        });
    }

    /// <summary>The likelihood of a window of a <see cref="TextQuestion"/>.</summary>
    /// <param name="item">The item.</param>
    /// <param name="nll">The sum of negative log-likelihoods of the window's scored tokens, in nats.</param>
    public static EvalRow OfWindow(EvalItem item, double nll) =>
        Of(item, new OrderedDictionary<string, double> { [Nll] = nll, [Tokens] = item.Rows[0].TrainedTokens }, _ => { });

    /// <summary>Reads a row back; null where the line is none.</summary>
    public static EvalRow? Read(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var scores = root.GetProperty("scores").EnumerateObject().ToDictionary(score => score.Name, score => score.Value.GetDouble());
            return new EvalRow(root.GetProperty("index").GetInt32(), scores, line);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static bool SaysNothing(TaskPart part, string text) =>
        part.NoAnswer is { } words && AnswerText.Normalize(text) == AnswerText.Normalize(words);

    private static EvalRow Of(EvalItem item, OrderedDictionary<string, double> scores, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, OneLine))
        {
            json.WriteStartObject();
            json.WriteNumber("index", item.Index);
            json.WriteNumber("record", item.Question.Record);
            json.WriteString("part", item.Question.Part.Name);
            write(json);
            json.WriteStartObject("scores");
            foreach (var (name, value) in scores) json.WriteNumber(name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return new EvalRow(item.Index, scores, Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
