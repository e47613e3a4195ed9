using System.Text.Json;
using Meft.Generation;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Generation;

public class LogitsProcessorTests
{
    /// <summary>The names of the fixture's cases.</summary>
    public static TheoryData<string> Cases => Assets.Enumerate("fixtures", folder =>
        Read(Path.Combine(folder, "logits_processors.json")).GetProperty("cases").EnumerateArray().Select(c => c.GetProperty("name").GetString()!));

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Category", "Fixtures")]
    public void A_processor_gives_what_transformers_gives(string name)
    {
        var fixture = Read(Assets.Require("fixtures", "logits_processors.json"));
        var golden = fixture.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name);
        for (var row = 0; row < fixture.GetProperty("ids").GetArrayLength(); row++)
        {
            int[] ids = [.. fixture.GetProperty("ids")[row].EnumerateArray().Select(id => id.GetInt32())];
            var scores = Scores(fixture.GetProperty("scores")[row]);
            var expected = Scores(golden.GetProperty("scores")[row]);
            Processor(name, golden.GetProperty("params"), expected).Process(ids, scores);
            for (var token = 0; token < scores.Length; token++)
            {
                if (float.IsNegativeInfinity(expected[token])) float.IsNegativeInfinity(scores[token]).ShouldBeTrue($"row {row}, token {token}");
                else scores[token].ShouldBe(expected[token], 1e-5f, $"row {row}, token {token}");
            }
        }
    }

    [Fact]
    public void A_run_that_would_repeat_is_banned()
    {
        var scores = new float[6];
        new NoRepeatNgram(2).Process([1, 2, 3, 1], scores);
        scores.ShouldBe([0, 0, float.NegativeInfinity, 0, 0, 0]);
        scores = new float[6];
        new NoRepeatNgram(1).Process([1, 4, 1], scores);
        scores.ShouldBe([0, float.NegativeInfinity, 0, 0, float.NegativeInfinity, 0]);
        scores = new float[6];
        new NoRepeatNgram(3).Process([1, 2], scores);
        scores.ShouldBe(new float[6]);
    }

    [Fact]
    public void A_penalty_counts_a_token_once()
    {
        float[] scores = [2, -2, 3];
        new RepetitionPenalty(2).Process([0, 1, 0, 1, 0], scores);
        scores.ShouldBe([1, -4, 3]);
    }

    [Fact]
    public void Filters_pass_over_what_is_banned_and_always_leave_a_token()
    {
        float[] scores = [1, float.NegativeInfinity, 5, 2];
        new TopP(1e-9).Process([], scores);
        scores.ShouldBe([float.NegativeInfinity, float.NegativeInfinity, 5, float.NegativeInfinity]);
        scores = [1, float.NegativeInfinity, 5, 2];
        new TypicalP(1e-9).Process([], scores);
        scores.Count(float.IsFinite).ShouldBe(1);
        scores = [1, float.NegativeInfinity, 5, 2];
        new MinP(1).Process([], scores);
        scores[2].ShouldBe(5);
        scores.Count(float.IsFinite).ShouldBe(1);
        scores = [1, 3, 3, 2];
        new TopK(1).Process([], scores);
        scores.ShouldBe([float.NegativeInfinity, 3, 3, float.NegativeInfinity]);
    }

    private static ILogitsProcessor Processor(string name, JsonElement parameters, float[] expected) => name switch
    {
        "temperature" => new Temperature(parameters.GetProperty("temperature").GetDouble()),
        "top_k" => new TopK(parameters.GetProperty("top_k").GetInt32()),
        "top_p" => new TopP(parameters.GetProperty("top_p").GetDouble()),
        "min_p" => new MinP(parameters.GetProperty("min_p").GetDouble()),
        "repetition_penalty" => new RepetitionPenalty(parameters.GetProperty("penalty").GetDouble()),
        "no_repeat_ngram" => new NoRepeatNgram(parameters.GetProperty("ngram_size").GetInt32()),
        // The fixture does not name its end token: it is the one that is banned.
        "min_length" => new MinimumLength(
            parameters.GetProperty("min_length").GetInt32(), [Array.FindIndex(expected, float.IsNegativeInfinity)]),
        "typical" => new TypicalP(parameters.GetProperty("mass").GetDouble()),
        _ => throw new NotSupportedException($"no processor is known for the case '{name}'"),
    };

    private static float[] Scores(JsonElement list) =>
        [.. list.EnumerateArray().Select(score => score.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : score.GetSingle())];

    private static JsonElement Read(string path)
    {
        // Python's writer has a word for infinity, JSON has none.
        using var document = JsonDocument.Parse(File.ReadAllText(path).Replace("-Infinity", "null", StringComparison.Ordinal));
        return document.RootElement.Clone();
    }
}
