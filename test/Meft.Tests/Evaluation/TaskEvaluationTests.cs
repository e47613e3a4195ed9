using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Evaluation.Results;
using Meft.Core.Evaluation.Tasks;
using Meft.Core.Formats.HuggingFace;
using Meft.Evaluation;
using Meft.Loading;
using Meft.Tests.Models;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Tests.Evaluation;

public sealed class TaskEvaluationTests : IDisposable
{
    private const string Tokenizer = """
        {
          "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
          "added_tokens": [{"id": 4, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
          "model": {"type": "BPE", "dropout": null, "unk_token": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": {"a": 0, "b": 1, "c": 2, "d": 3}, "merges": []}
        }
        """;

    private const string Task = """
        parts:
          said: {prompt: "{{ q }}", answers: "['a', 'bb']", metrics: [starts_with, f1], decoding: {max_new_tokens: 6, stop: [d]}}
          chosen: {kind: choose, prompt: "{{ q }}", choices: "['ab', 'c', 'ddd']", right: 1, normalize: tokens}
          read: {kind: perplexity, text: "{{ q }}ab", window: 4, stride: 2}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly TemporaryFolder _folder = new();
    private readonly LoadedModel _model;
    private readonly EvalTask _task;
    private readonly IReadOnlyList<EvalItem> _items;

    public TaskEvaluationTests()
    {
        ModelConfig config = TinyDecoder.Llama with { VocabularySize = 5, MaxPositions = 32, EndTokens = [4] };
        using (var decoder = TinyDecoder.Create(config)) decoder.Save(_folder.File("model"));
        _folder.Write("model/tokenizer.json", Tokenizer);
        _model = LoadedModel.Load(_folder.File("model"), cancellation: Token);
        _task = EvalTask.Load(_folder.Write("task.yaml", Task));
        var rows = new[] { "a", "abcd", "bb", "dcbabcd", "ca", "abab", "c" };
        var questions = EvalQuestions.Read(_task, _folder.Write("data.jsonl", string.Join('\n', rows.Select(q => $"{{\"q\": \"{q}\"}}"))));
        _items = EvalItems.Encode(questions, _model.Tokenizer, _model.Limits);
    }

    [Fact]
    public void Rows_hold_what_generator_and_scorer_say()
    {
        var rows = new TaskEvaluation(_model) { BatchSize = 3 }.Run(_items, cancellation: Token);
        rows.Count.ShouldBe(_items.Count);
        foreach (var item in _items)
        {
            double[] alone = [.. item.Rows.Select(row => _model.CreateScorer().Score([new ScoredRow(row.InputIds, row.Labels)])[0].Nll)];
            switch (item.Question.Part.Name)
            {
                case "read":
                    rows[item.Index].Scores["nll"].ShouldBe(alone[0], 1e-4);
                    rows[item.Index].Scores["tokens"].ShouldBe(item.Rows[0].TrainedTokens);
                    break;
                case "chosen":
                    double[] costs = [alone[0] / 2, alone[1], alone[2] / 3];
                    rows[item.Index].Scores["accuracy"].ShouldBe(costs.Min() == costs[1] ? 1 : 0);
                    break;
                default:
                    var ids = _model.CreateGenerator().Generate([item.Rows[0].InputIds], new() { MaxNewTokens = 6, EndTokens = [4] }, cancellation: Token)[0].Tokens;
                    var text = string.Concat(ids.TakeWhile(id => id < 3).Select(id => (char)('a' + id)));
                    // The tokenizer, which has no decoder, puts blanks between tokens.
                    using (var row = JsonDocument.Parse(rows[item.Index].Json))
                        row.RootElement.GetProperty("prediction").GetString()!.Replace(" ", "").ShouldBe(text);
                    break;
            }
        }
        EvalSummary.Of(_task, _items, rows.Values, 0).Results.Select(r => $"{r.Part} {r.Metric}").ShouldBe(
            ["said starts_with", "said f1", "chosen accuracy", "chosen magnitude", "read perplexity", "read nll_per_token"]);
    }

    [Fact]
    public void An_evaluation_that_was_interrupted_ends_with_the_same_file()
    {
        var whole = _folder.File("whole.jsonl");
        using (var file = Open(whole)) new TaskEvaluation(_model) { BatchSize = 2 }.Run(_items, file, cancellation: Token);

        var torn = _folder.File("torn.jsonl");
        for (var stopAfter = 1; ; stopAfter += 3)
        {
            using var file = Open(torn);
            var before = file.Rows.Count;
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Token);
            var batches = 0;
            try
            {
                new TaskEvaluation(_model) { BatchSize = 2 }.Run(
                    _items, file, _ => { if (++batches == stopAfter) cancellation.Cancel(); }, cancellation.Token);
                break;
            }
            catch (OperationCanceledException)
            {
                file.Rows.Count.ShouldBeGreaterThan(before);
            }
        }
        File.ReadAllText(torn).ShouldBe(File.ReadAllText(whole));
    }

    [Fact]
    public void A_batch_with_a_missing_row_is_computed_whole_and_adds_that_row_alone()
    {
        var path = _folder.File("rows.jsonl");
        using (var file = Open(path)) new TaskEvaluation(_model).Run(_items, file, cancellation: Token);
        var whole = File.ReadAllText(path);
        File.WriteAllLines(path, File.ReadAllLines(path).Where((_, i) => i != 3));
        using (var file = Open(path))
        {
            file.Rows.Count.ShouldBe(_items.Count - 1);
            new TaskEvaluation(_model).Run(_items, file, cancellation: Token);
        }
        File.ReadAllText(path).ShouldBe(whole);
    }

    [Fact]
    public void The_fingerprint_tells_models_data_tasks_and_options_apart()
    {
        var data = _folder.File("data.jsonl");
        var identity = Identity();
        identity.Differences(Identity()).ShouldBeEmpty();
        identity.Differences(Identity("5")).ShouldBe(["limit"]);
        File.AppendAllText(data, "\n");
        identity.Differences(Identity()).ShouldBe(["data"]);
        File.AppendAllText(_folder.File("model/config.json"), "\n");
        identity.Differences(Identity()).ShouldBe(["data", "model"]);

        EvalIdentity Identity(string limit = "none") => EvalFingerprint.Of(
            _task, [data], _model.Location, adapterFolder: null, new Dictionary<string, string> { ["limit"] = limit });
    }

    [Fact]
    public void A_model_whose_numbers_are_not_finite_is_a_failure_at_the_record()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama with { VocabularySize = 5, MaxPositions = 32, EndTokens = [4] });
        using (var embedding = decoder.Parameters["model.embed_tokens.weight"].detach()) embedding[3].FillWith(float.NaN);
        decoder.Save(_folder.File("broken"));
        _folder.Write("broken/tokenizer.json", Tokenizer);
        using var broken = LoadedModel.Load(_folder.File("broken"), cancellation: Token);
        var windows = _items.Where(item => item.Question is TextQuestion).ToList();
        Should.Throw<RunFailedException>(() => new TaskEvaluation(broken).Run(windows, cancellation: Token)).Message.ShouldContain("data.jsonl:2: the model gives a text");
    }

    [Fact]
    public void Nothing_stays_alive() => TinyDecoder.LiveTensorsAdded(() => new TaskEvaluation(_model).Run(_items, cancellation: Token)).ShouldBe(0);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private static EvalRowsFile Open(string path) => EvalRowsFile.Open(path, new EvalIdentity(new Dictionary<string, string> { ["test"] = "1" }));
}
