using Meft.Core.Comparisons.Reading;
using Meft.Core.Configuration;
using Meft.Core.Evaluation;
using Meft.Core.Storage;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Reading;

public sealed class ComparisonFileTests : IDisposable
{
    private readonly ComparisonTestFolder _folder = new();

    [Fact]
    public void A_comparison_says_everything()
    {
        var config = _folder.Load(ComparisonTestFolder.Full);
        config.Path.ShouldBe(_folder.ConfigPath);
        config.Output.ShouldBe(Path.GetFullPath(_folder.File("../runs/facts")));
        config.Seeds.ShouldBe([0, 7, 2]);
        config.KeepAdapters.ShouldBeTrue();
        config.Train!.Task.Parts.Select(part => part.Name).ShouldBe(["efficacy"]);
        config.Train.Data.ShouldBe(_folder.File("edits.json"));
        config.Train.Records.ShouldBe(new RecordSelection(2, 1000, "subject"));
        config.Grid!.Extend.ShouldBe(2);
        config.Grid.Train!.Records.ShouldBe(new RecordSelection(0, 500, "subject"));
        config.Grid.Task.Metrics.Select(metric => (metric.Part, metric.Metric)).ShouldBe([("efficacy", "starts_with")]);
        config.Reference.ShouldBe(config.Methods[0]);
    }

    [Fact]
    public void Tasks_have_figures_with_labels_and_only_the_parts_that_are_shown()
    {
        var tasks = _folder.Load(ComparisonTestFolder.Full).Tasks;
        tasks.Select(task => (task.Task.Name, task.Batch, task.IsOldKnowledge, task.Records.First)).ShouldBe(
            [("counterfact", 64, false, 1000), ("perplexity", 16, true, 8), ("own", 16, false, null)]);
        tasks[0].Task.Parts.Select(part => part.Name).ShouldBe(["efficacy", "generalisation", "specificity"]);
        tasks[2].Data.ShouldBe(_folder.File("held.json"));
        tasks.SelectMany(task => task.Metrics).Select(metric => (metric.Part, metric.Metric, metric.Label)).ShouldBe([
            ("efficacy", "starts_with", "efficacy"), ("generalisation", "starts_with", "generalisation"), ("specificity", "starts_with", "neighbours"),
            ("all", "perplexity", "perplexity"),
            ("said", "exact_match", "said exact match"), ("said", "f1", "said f1"), ("chosen_one", "accuracy", "chosen one accuracy"),
            ("chosen_one", "magnitude", "chosen one magnitude"),
        ]);
    }

    [Fact]
    public void A_method_is_the_shared_run_with_its_own_keys_and_its_rates()
    {
        var config = _folder.Load(ComparisonTestFolder.Full);
        config.Methods.Select(method => (method.Name, method.Id)).ShouldBe([("LoRA r = 8", "lora-r-8"), ("MEFT R = 4,096", "meft-r-4-096"), ("Full", "full")]);
        config.Methods.Select(method => (method.Run.Method.Kind, method.Run.Epochs, method.Run.Batch.Size)).ShouldBe(
            [(MethodKind.Lora, 6, 32), (MethodKind.Meft, 3, 32), (MethodKind.Full, 6, 32)]);
        config.Methods.Select(method => string.Join(' ', method.LearningRates)).ShouldBe(["0.001 0.002", "", "0.0005 0.001 0.004"]);
        config.Methods[1].Run.Optimizer.LearningRate.ShouldBe(2e-3);
        foreach (var (name, id, run, _) in config.Methods)
        {
            run.Model.ShouldBe(_folder.File("base"), name);
            run.Output.ShouldBe(Path.Combine(config.Output, "methods", id));
            run.Data.Train.ShouldHaveSingleItem().ShouldStartWith(config.Output);
            run.Budget.DeviceBytes.ShouldBe(1L << 30);
        }
    }

    [Fact]
    public void A_comparison_says_almost_nothing()
    {
        var config = _folder.Load(ComparisonTestFolder.Minimal);
        config.Seeds.ShouldBe([0]);
        (config.KeepAdapters, config.Train, config.Grid, config.Reference).ShouldBe((false, null, null, null));
        config.Tasks.ShouldHaveSingleItem().Metrics.ShouldHaveSingleItem().Label.ShouldBe("number");
        var method = config.Methods.ShouldHaveSingleItem();
        method.LearningRates.ShouldBeEmpty();
        method.Run.ShouldBe(new RunConfig
        {
            Model = _folder.File("base"),
            Output = Path.Combine(config.Output, "methods", "one"),
            Data = new DataConfig { Train = [_folder.File("rows.jsonl")] },
        });
    }

    [Fact]
    public void Overrides_win_over_the_file_and_a_methods_own_keys_over_those_of_run()
    {
        var config = _folder.Load(
            ComparisonTestFolder.Full, "seeds=[5]", "output=elsewhere", "run.max_steps=4", "run.batch.size=2", "grid.task.first=10", "grid.learning_rates=[1e-2, 1e-1]",
            "train.first=3", "train.skip=", "reference=", "keep_adapters=false");
        config.Seeds.ShouldBe([5]);
        config.Output.ShouldBe(_folder.File("elsewhere"));
        config.Train!.Records.ShouldBe(new RecordSelection(0, 3, "subject"));
        config.Grid!.Task.Records.First.ShouldBe(10);
        (config.Reference, config.KeepAdapters).ShouldBe((null, false));
        config.Methods[2].LearningRates.ShouldBe([1e-2, 1e-1]);
        config.Methods.Select(method => (method.Run.MaxSteps, method.Run.Epochs, method.Run.Batch.Size)).ShouldBe([(4, null, 2), (null, 3, 2), (4, null, 2)]);
        _folder.Load(ComparisonTestFolder.Full, "methods=[{name: a}]", "reference=").Methods.ShouldHaveSingleItem().Run.Epochs.ShouldBe(6);
    }

    [Fact]
    public void Patterns_of_a_method_take_the_place_of_those_of_run_and_null_gives_the_default()
    {
        var yaml = ComparisonTestFolder.Minimal
            .Replace("data: {train", "epochs: 4, method: {kind: lora, rank: 2, rank_pattern: {q_proj: 4}}, data: {train", StringComparison.Ordinal)
            .Replace("{name: one}", "{name: one, epochs: null, method: {rank_pattern: {v_proj: 3}}}", StringComparison.Ordinal);
        var run = _folder.Load(yaml).Methods[0].Run;
        (run.Method.Kind, run.Method.RequestedRank, run.Epochs).ShouldBe((MethodKind.Lora, 2, 1));
        run.Method.RankPattern.ShouldHaveSingleItem().Pattern.ShouldBe("v_proj");
    }

    [Fact]
    public void A_grid_may_have_seeds_of_its_own()
    {
        var config = _folder.Load(ComparisonTestFolder.Minimal + "\ngrid: {learning_rates: [1e-3, 1e-2], seeds: [3, 4], task: {task: gsm8k, data: held.json, first: 3}}");
        config.Grid!.Seeds.ShouldBe([3, 4]);
        config.Seeds.ShouldBe([0]);
    }

    [Fact]
    public void A_grid_without_rows_of_its_own_takes_those_of_the_runs()
    {
        var config = _folder.Load(ComparisonTestFolder.Minimal + "\ngrid: {learning_rates: [1e-3, 1e-2], task: {task: gsm8k, data: held.json, first: 3}}");
        (config.Grid!.Train, config.Grid.Extend, config.Grid.Seeds).ShouldBe((null, 3, null));
        config.Grid.Task.Records.First.ShouldBe(3);
    }

    [Theory]
    [InlineData("LoRA r = 8|LoRA, r=8|lora-r-8-2|lora r 8", "lora-r-8|lora-r-8-2|lora-r-8-2-2|lora-r-8-3")]
    [InlineData("!!|Größe|../x|  a  ", "method|gr-e|x|a")]
    public void Every_method_has_a_folder_of_its_own(string names, string ids) => PlainNames.Of(names.Split('|'), "method").ShouldBe(ids.Split('|'));

    [Fact]
    public void Every_key_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(Repository(), "docs", "compare.md"));
        string[] keys =
        [
            .. ComparisonReader.Keys, .. TaskSourceReader.TrainingKeys, .. TaskSourceReader.ReportedKeys, .. TaskSourceReader.JudgingKeys,
            .. GridReader.Keys.Select(key => $"grid.{key}"), .. MethodEntry.Keys,
        ];
        foreach (var key in keys) page.ShouldContain($"| `{key}` |", customMessage: key);
        foreach (var key in ShownMetrics.Keys) page.ShouldContain($"{key}: …");
    }

    public void Dispose() => _folder.Dispose();

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Meft.slnx"))) folder = folder.Parent ?? throw new InvalidOperationException("no repository around the tests");
        return folder.FullName;
    }
}
