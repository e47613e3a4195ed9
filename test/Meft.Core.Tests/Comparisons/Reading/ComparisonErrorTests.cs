using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Comparisons.Reading;

public sealed class ComparisonErrorTests : IDisposable
{
    private readonly ComparisonTestFolder _folder = new();

    [Fact]
    public void What_is_missing_is_told_together()
    {
        _folder.Errors("seeds: 1\n").ShouldBe([
            "compare.yaml: output: is missing. Allowed: a folder, absolute or relative to the config file.",
            "compare.yaml: tasks: is missing. Allowed: a list of at least one task with its data.",
            "compare.yaml: run: is missing. Allowed: the keys of a run's config (docs/config.md) that all methods share.",
            "compare.yaml: methods: is missing. Allowed: a list of at least one method with its name.",
        ]);
        _folder.Errors("").Count.ShouldBe(4);
        _folder.Errors("- a\n").ShouldContain(e => e.StartsWith("compare.yaml:1: a list of 1 stands where a group of keys is expected."));
    }

    [Fact]
    public void All_errors_are_told_in_the_order_of_the_file()
    {
        var errors = _folder.Errors("""
            output: out
            sedes: [1]
            run:
              modle: base
              output: x
              seed: 3
              batch: {size: 0}
            tasks:
              - {task: counterfac, data: edits.json}
              - {task: gsm8k, data: edit.json}
              - {task: gsm8k, data: edits.json, frist: 3}
            methods:
              - {name: a, method: {kind: lora, rank: many}}
              - {name: a, method: {rnak: 3}}
            reference: b
            """, "run.epochs=none");
        errors.ShouldBe([
            "compare.yaml: train: is missing. Allowed: train, rows made of a task's questions, or files in run.data.train.",
            "compare.yaml:3: run.model: is missing. Allowed: a Hugging Face folder or a .gguf file, absolute or relative to the config file.",
            "compare.yaml:2: sedes: unknown key; the nearest known one is seeds. Allowed: output, seeds, keep_adapters, run, train, tasks, grid, methods, reference.",
            errors[3],
            "compare.yaml:5: run.output: is the comparison's: every run has a folder in it. Allowed: output at the top of the file, and none here.",
            "compare.yaml:6: run.seed: is the comparison's: every method is trained with the same seeds. Allowed: seeds at the top of the file, and none here.",
            "compare.yaml:7: run.batch.size: 0 is out of range. Allowed: a whole number from 1 to 1048576.",
            errors[7],
            "compare.yaml:10: tasks[1].data: edit.json: the data file does not exist; the nearest path is edits.json. Allowed: a .jsonl, .json or .txt file, or a folder of such files, absolute or relative to the config file.",
            "compare.yaml:11: tasks[2].frist: unknown key; the nearest known one is first. Allowed: task, data, distinct, skip, first, batch, show, old_knowledge.",
            "compare.yaml:13: methods[0].method.rank: 'many' is no whole number. Allowed: a whole number from 1 to 268435456.",
            "compare.yaml:14: methods[1].name: 'a' is the name of the method at compare.yaml:13 too. Allowed: a name of its own.",
            errors[12],
            "compare.yaml:15: reference: 'b' is the name of no method (did you mean 'a'?). Allowed: a | a.",
            "--set run.epochs=none: run.epochs: 'none' is no whole number. Allowed: a whole number, at least 1.",
        ]);
        errors[3].ShouldStartWith("compare.yaml:4: run.modle: unknown key; the nearest known one is model. Allowed: model, output, ");
        errors[7].ShouldStartWith("compare.yaml:9: tasks[0].task: there is no task 'counterfac' (did you mean counterfact?). Allowed: counterfact, ");
        errors[12].ShouldStartWith("compare.yaml:14: methods[1].method.rnak: unknown key; the nearest known one is method.rank. Allowed: under method: kind, rank, ");
    }

    [Fact]
    public void A_shared_key_that_is_wrong_for_some_methods_names_them()
    {
        const string yaml = """
            output: out
            run:
              model: base
              data: {train: rows.jsonl}
              method: {top_k: 8}
              optimizer: {eps: -1}
            tasks: [{task: gsm8k, data: edits.json}]
            methods:
              - {name: Sparse}
              - {name: Low rank, method: {kind: lora}}
              - {name: Base, method: {kind: full}}
            """;
        _folder.Errors(yaml).ShouldBe([
            "compare.yaml:5: run.method.top_k: '8' would have no effect: the key is for method.kind: meft (method 'Low rank', 'Base'). Allowed: leaving the key out.",
            "compare.yaml:6: run.optimizer.eps: -1 is out of range. Allowed: a number above 0.",
        ]);
        _folder.Errors(yaml.Replace("name: Base,", "name: Base, optimizer: {eps: 1e-8}, epochs: 2, max_steps: 3,", StringComparison.Ordinal)).ShouldBe([
            "compare.yaml:5: run.method.top_k: '8' would have no effect: the key is for method.kind: meft (method 'Low rank', 'Base'). Allowed: leaving the key out.",
            "compare.yaml:6: run.optimizer.eps: -1 is out of range (method 'Sparse', 'Low rank'). Allowed: a number above 0.",
            "compare.yaml:11: methods[2].max_steps: 3 contradicts epochs: 2; both say when to stop. Allowed: one of epochs and max_steps.",
        ]);
    }

    [Theory]
    [InlineData("methods:\n  - {name: one, seed: 3}", "compare.yaml:6: methods[0].seed: is the comparison's: every method is trained with the same seeds.")]
    [InlineData("methods:\n  - {name: one, model: base}", "compare.yaml:6: methods[0].model: is one for all methods. Allowed: run.model, and none here.")]
    [InlineData("methods:\n  - {name: one, budget: {device: 1GiB}}", "compare.yaml:6: methods[0].budget.device: is one for all methods.")]
    [InlineData("methods:\n  - {name: one, data: {train: rows.jsonl}}", "compare.yaml:6: methods[0].data.train: is one for all methods.")]
    [InlineData("methods:\n  - {nmae: one}", "compare.yaml:6: methods[0].name: is missing. Allowed: a text.")]
    [InlineData("methods:\n  - {name: one, rank: 3}", "compare.yaml:6: methods[0].rank: unknown key; the nearest known one is method.rank.")]
    [InlineData("methods:\n  - {name: one, learning_rates: [1, 2]}", "compare.yaml:6: methods[0].learning_rates: would have no effect: there is no grid.")]
    [InlineData("methods:\n  - {name: one, method: {init: gone}}", "compare.yaml:6: methods[0].method.init: gone does not exist. Allowed: an existing adapter folder.")]
    [InlineData("methods: [one]", "compare.yaml:5: methods[0]: 'one' stands where a group of keys is expected. Allowed: name, learning_rates.")]
    [InlineData("methods: []", "compare.yaml:5: methods: an empty list stands where a list of methods is expected.")]
    [InlineData("methods: [{name: one}]\nseeds: [3, 3]", "compare.yaml:6: seeds: 3 stands twice. Allowed: a whole number, at least 0, or a list of distinct ones.")]
    [InlineData("methods: [{name: one}]\nseeds: []", "compare.yaml:6: seeds: an empty list is too short.")]
    [InlineData("methods: [{name: one}]\nrun: {}", "compare.yaml:6: run: stands twice, first at compare.yaml:2. Allowed: each key once.")]
    [InlineData("methods: [{name: one}]\ntrain: {task: gsm8k, data: edits.json}", "compare.yaml:2: run.data.train: contradicts train, which makes the rows. Allowed: one of train and run.data.train.")]
    public void Mistakes_at_the_top_and_in_methods_are_told(string rest, string expected)
    {
        var yaml = ComparisonTestFolder.Minimal[..ComparisonTestFolder.Minimal.IndexOf("methods:", StringComparison.Ordinal)] + rest;
        _folder.Errors(yaml).ShouldContain(error => error.StartsWith(expected, StringComparison.Ordinal), yaml);
    }

    [Theory]
    [InlineData("task: gsm8k", "tasks[0].data: is missing: the task gsm8k names no data itself. Allowed: a .jsonl, .json or .txt file, or a folder of such files, absolute or relative to the config file.")]
    [InlineData("task: onw.yaml", "tasks[0].task: onw.yaml: the task file does not exist; the nearest path is own.yaml. Allowed: the name of a task or the path of a .yaml file.")]
    [InlineData("task: /dev/null", "tasks[0].task: '/dev/null' is no path of a .yaml file.")]
    [InlineData("data: edits.json", "tasks[0].task: is missing. Allowed: counterfact, counterfact_rome, ")]
    [InlineData("task: gsm8k, data: own.yaml", "tasks[0].data: own.yaml: the ending '.yaml' is of no kind of file that can be read. Allowed: .jsonl, .json, .txt.")]
    [InlineData("task: gsm8k, data: edits.json, distinct: a ~", "tasks[0].distinct: 'a ~' is no expression: ")]
    [InlineData("task: gsm8k, data: edits.json, first: 0", "tasks[0].first: 0 is out of range. Allowed: a whole number, at least 1.")]
    [InlineData("task: gsm8k, data: edits.json, show: accuracy", "tasks[0].show: 'accuracy' is no figure of the task. Allowed: figures of gsm8k: number.")]
    [InlineData("task: own.yaml, show: [said/f2]", "tasks[0].show: 'said/f2' is no figure of the task (did you mean said/f1?). Allowed: figures of own: said/exact_match, said/f1, chosen_one/accuracy, chosen_one/magnitude.")]
    [InlineData("task: own.yaml, show: [said/f1, {metric: said/f1, label: x}]", "tasks[0].show: said/f1 stands twice. Allowed: each figure once.")]
    [InlineData("task: own.yaml, show: [{lable: x}]", "tasks[0].show.metric: is missing. Allowed: figures of own: ")]
    [InlineData("task: own.yaml, show: []", "tasks[0].show: an empty list shows nothing.")]
    [InlineData("task: own.yaml, show: [said/f1, {metric: said/exact_match, label: said f1}]", "tasks[0].show: 'said f1' is the label of another figure too.")]
    public void Mistakes_in_tasks_are_told(string task, string expected)
    {
        var errors = _folder.Errors(ComparisonTestFolder.Minimal.Replace("task: gsm8k, data: edits.json", task, StringComparison.Ordinal));
        errors.ShouldContain(error => error.StartsWith($"compare.yaml:4: {expected}", StringComparison.Ordinal), string.Join('\n', errors));
    }

    [Theory]
    [InlineData("task: counterfact, data: edits.json", "train.part: is missing. Allowed: a part of counterfact that asks for answers: efficacy, generalisation, specificity.")]
    [InlineData("task: counterfact, data: edits.json, part: efficaci", "train.part: 'efficaci' is no part of the task counterfact (did you mean efficacy?).")]
    [InlineData("task: counterfact, data: edits.json, part: efficacy_likelihood", "train.part: 'efficacy_likelihood' asks for no answers.")]
    [InlineData("task: perplexity, data: text.txt", "train.task: no part of the task perplexity asks for answers that could be learnt. Allowed: a task with a part of kind: generate.")]
    [InlineData("task: gsm8k, data: edits.json, show: number", "train.show: unknown key. Allowed: task, data, distinct, skip, first, part.")]
    public void Mistakes_in_the_rows_are_told(string train, string expected)
    {
        var yaml = ComparisonTestFolder.Minimal.Replace(", data: {train: rows.jsonl}", "", StringComparison.Ordinal) + $"\ntrain: {{{train}}}";
        _folder.Errors(yaml).ShouldHaveSingleItem().ShouldStartWith($"compare.yaml:7: {expected}");
    }

    [Theory]
    [InlineData("learning_rates: [1, 2]", "grid.task: is missing.")]
    [InlineData("learning_rates: [1], task: {task: gsm8k, data: held.json}", "grid.learning_rates: a list of 1 is too short. Allowed: a list of at least two distinct numbers above 0; a single rate is optimizer.learning_rate of a method.")]
    [InlineData("learning_rates: [1, 1e0], task: {task: gsm8k, data: held.json}", "grid.learning_rates: 1 stands twice.")]
    [InlineData("learning_rates: [1, 2], task: {task: gsm8k, data: edits.json}", "grid.task: rates would be chosen by records that tasks[0] reports figures of. Allowed: other data, or a skip beyond those records.")]
    [InlineData("learning_rates: [1, 2], task: {task: perplexity, data: held.json}", "grid.task: rates are judged by the mean of the figures shown, and of perplexity less is better. Allowed: show: with one figure, or with several of which more is better.")]
    [InlineData("learning_rates: [1, 2], task: {task: gsm8k, data: held.json, old_knowledge: true}", "grid.task.old_knowledge: unknown key.")]
    public void Mistakes_in_a_grid_are_told(string grid, string expected)
    {
        var errors = _folder.Errors(ComparisonTestFolder.Minimal + $"\ngrid: {{{grid}}}");
        errors.ShouldContain(error => error.StartsWith($"compare.yaml:7: {expected}", StringComparison.Ordinal), string.Join('\n', errors));
    }

    [Theory]
    [InlineData("run.optimizer.learning_rate=1", "run.optimizer.learning_rate: contradicts grid, which is to find the rates. Allowed: a rate of a method alone, under methods.")]
    [InlineData("grid.train=", "grid.train: is missing: the runs have no data.train that it could take.")]
    [InlineData("grid.learning_rates=", "methods[2].learning_rates: is missing: neither the grid nor the method says which rates to try.")]
    [InlineData("methods=[{name: a, optimizer: {learning_rate: 1}}]", "grid: would have no effect: every method has an optimizer.learning_rate of its own.")]
    [InlineData("methods=[{name: a, optimizer: {learning_rate: 1}, learning_rates: [1, 2]}]", "methods[0].learning_rates: contradicts the method's optimizer.learning_rate. Allowed: one of them.")]
    [InlineData("nonsense", "an override without a key and an equals sign. Allowed: --set key=value, for example --set run.epochs=2.")]
    [InlineData("seed=1", "seed: unknown key; the nearest known one is seeds.")]
    [InlineData("tasks.first=3", "tasks: a group of keys stands where a list of tasks is expected.")]
    public void Overrides_may_be_mistaken(string set, string expected)
    {
        var errors = _folder.Errors(ComparisonTestFolder.Full, set);
        errors.ShouldContain(error => error.Contains($": {expected}", StringComparison.Ordinal), string.Join('\n', errors));
    }

    [Fact]
    public void Errors_of_a_task_file_are_told_with_its_lines_and_once()
    {
        _folder.Write("bad.yaml", "prompt: x\nanswrs: y\n");
        var yaml = ComparisonTestFolder.Minimal.Replace(
            "- {task: gsm8k, data: edits.json}", "- {task: bad.yaml, data: edits.json}\n  - {task: bad.yaml, data: held.json}", StringComparison.Ordinal);
        var errors = _folder.Errors(yaml);
        errors.Count.ShouldBe(2);
        errors[0].ShouldStartWith("bad.yaml: answers: is missing.");
        errors[1].ShouldStartWith("bad.yaml:2: answrs: unknown key; the nearest known one is answers.");
    }

    [Fact]
    public void A_file_that_is_not_there_or_no_yaml_is_refused()
    {
        _folder.Errors("output: [").ShouldHaveSingleItem().ShouldStartWith("compare.yaml:2: the config is no valid YAML: ");
        var e = Should.Throw<ConfigException>(() => Core.Comparisons.Reading.ComparisonFile.Load(_folder.File("compar.yaml"), []));
        e.Problem.ShouldBe($"the config file does not exist; the nearest path is {_folder.ConfigPath}");
        e.ExitCode.ShouldBe(2);
    }

    public void Dispose() => _folder.Dispose();
}
