using CsCheck;
using Meft.Core.Configuration;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

public sealed class ConfigErrorTests : IDisposable
{
    private static readonly string[] YamlPieces =
    [
        "model: m", "output", "data", "method", "rank", ": ", ":", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "!t ", "!!int ", "\"", "'", "\\x", "|", ">", "%", "#",
        "---", "...", "?", "<<", "~", "null", "1", "-1", "1e400", "0x1F", "true", "\t", "\0", "\ufffd", "\u2028", "@", "`", "auto", "last:3",
    ];

    private static readonly Gen<string> YamlPiece = Gen.Int[0, YamlPieces.Length - 1].Select(i => YamlPieces[i]);
    private readonly ConfigTestFolder _folder = new();

    [Fact]
    public void All_errors_are_reported_together_in_the_order_of_the_file()
    {
        var errors = _folder.Errors("""
            model: m
            modle: n
            method:
              rank: many
              probe: 300
              top_k: -1
              gate: lineer
              rank: 5
            optimizer: {learning_rate: 0, betas: [0.9]}
            data: {trian: t.jsonl, max_length: 1}
            epochs: 2
            max_steps: 5
            device: tpu
            """, "method.experts=-3", "seed=abc", "nonsense");

        errors.Select(e => (e.Location, e.Key)).ShouldBe([
            ("config.yaml", "output"), ("config.yaml", "data.train"), ("config.yaml:2", "modle"), ("config.yaml:4", "method.rank"),
            ("config.yaml:6", "method.top_k"), ("config.yaml:7", "method.gate"), ("config.yaml:8", "method.rank"),
            ("config.yaml:9", "optimizer.learning_rate"), ("config.yaml:9", "optimizer.betas"), ("config.yaml:10", "data.trian"),
            ("config.yaml:10", "data.max_length"), ("config.yaml:12", "max_steps"), ("config.yaml:13", "device"),
            ("--set method.experts=-3", "method.experts"), ("--set seed=abc", "seed"), ("--set nonsense", null),
        ], ignoreOrder: false);
        errors.ShouldAllBe(e => e.Allowed != null);
    }

    [Fact]
    public void The_message_holds_every_error_and_has_the_exit_code_of_wrong_input()
    {
        var e = Should.Throw<ConfigException>(() => _folder.Load("model: m\noutput: o\nsede: 1\ndata: {train: t.txt, shuffle: 3}"));
        e.ExitCode.ShouldBe(2);
        e.Message.ShouldContain("2 errors");
        e.Message.ShouldContain($"{_folder.ConfigPath}:3: sede: unknown key; the nearest known one is seed.");
        e.Message.ShouldContain($"{_folder.ConfigPath}:4: data.shuffle: '3' is neither true nor false. Allowed: true | false.");
    }

    [Theory]
    [InlineData("sede: 1", "seed")]
    [InlineData("rank: 1", "method.rank")]
    [InlineData("method: {topk: 1}", "method.top_k")]
    [InlineData("optimizer: {lr: 1}", "optimizer.learning_rate")]
    [InlineData("gradient_accumulation_steps: 2", "batch.accumulate")]
    [InlineData("batch: {sise: 2}", "batch.size")]
    [InlineData("metod: {rank: 1}", "method")]
    [InlineData("method: {every: 3}", "evaluate.every")]
    public void An_unknown_key_names_the_nearest(string line, string nearest) =>
        _folder.ErrorWith(line).Problem.ShouldBe($"unknown key; the nearest known one is {nearest}");

    [Theory]
    [InlineData("foo: 1")]
    [InlineData("optimizer: {elephants: 1}")]
    public void An_unknown_key_that_is_close_to_none_names_none(string line) => _folder.ErrorWith(line).Problem.ShouldBe("unknown key");

    [Fact]
    public void A_config_file_that_is_not_there_names_the_nearest_path_and_what_is_allowed()
    {
        using var folder = new TemporaryFolder();
        folder.Write("train.yaml", "");
        var error = Should.Throw<ConfigException>(() => RunConfig.Load(folder.File("tarin.yaml"), []));
        error.Problem.ShouldBe($"the config file does not exist; the nearest path is {folder.File("train.yaml")}");
        error.Allowed.ShouldBe("an existing YAML file");
        Should.Throw<ConfigException>(() => RunConfig.Load(folder.File("elephant.json"), [])).Problem.ShouldBe("the config file does not exist");
    }

    [Theory]
    [InlineData("seed: -1", "seed")]
    [InlineData("seed: 1.5", "seed")]
    [InlineData("seed: '1'", "seed")]
    [InlineData("seed: 99999999999999999999", "seed")]
    [InlineData("seed: [1]", "seed")]
    [InlineData("dtype: float32", "dtype")]
    [InlineData("quantize: {a: b}", "quantize")]
    [InlineData("device: cuda:x", "device")]
    [InlineData("method: {rank: 0}", "method.rank")]
    [InlineData("method: {rank: 3000000000}", "method.rank")]
    [InlineData("method: {experts: many}", "method.experts")]
    [InlineData("method: {layers: last:0}", "method.layers")]
    [InlineData("method: {layers: last:-1}", "method.layers")]
    [InlineData("method: {layers: []}", "method.layers")]
    [InlineData("method: {layers: [1, 1]}", "method.layers")]
    [InlineData("method: {layers: [-1]}", "method.layers")]
    [InlineData("method: {layers: 3}", "method.layers")]
    [InlineData("optimizer: {learning_rate: .nan}", "optimizer.learning_rate")]
    [InlineData("optimizer: {learning_rate: 1e999}", "optimizer.learning_rate")]
    [InlineData("optimizer: {betas: [0.9, 1.0]}", "optimizer.betas")]
    [InlineData("optimizer: {max_grad_norm: -1}", "optimizer.max_grad_norm")]
    [InlineData("schedule: linear", "schedule")]
    [InlineData("schedule: {warmup: 2.5}", "schedule.warmup")]
    [InlineData("schedule: {warmup: 1e12}", "schedule.warmup")]
    [InlineData("schedule: {kind: constant, warmup: 5}", "schedule.warmup")]
    [InlineData("schedule: {kind: polynomial}\noptimizer: {learning_rate: 1e-8}", "optimizer.learning_rate")]
    [InlineData("batch: {size: 0}", "batch.size")]
    [InlineData("epochs: 0", "epochs")]
    [InlineData("budget: {device: 5 parsecs}", "budget.device")]
    [InlineData("budget: {device: 0}", "budget.device")]
    [InlineData("data: {train: x.txt}", "data")]
    [InlineData("checkpoint: {keep: 0}", "checkpoint.keep")]
    public void A_wrong_value_is_refused_with_its_place(string lines, string key)
    {
        var errors = _folder.Errors(ConfigTestFolder.Minimal + lines);
        errors.ShouldHaveSingleItem().Key.ShouldBe(key);
        errors[0].Location.ShouldStartWith("config.yaml:");
    }

    [Theory]
    [InlineData("method: {rank: 16, probe: 17}", "method.probe")]
    [InlineData("method: {experts: 4, probe: 5}", "method.probe")]
    [InlineData("method: {experts: 4, probe: 8}", "method.probe")]
    [InlineData("epochs: 1\nmax_steps: 1", "max_steps")]
    [InlineData("method: {experts: 0, probe: 4}", "method.probe")]
    [InlineData("method: {experts: 0, gate: softmax}", "method.gate")]
    [InlineData("method: {kind: parallel, top_k: 3}", "method.top_k")]
    [InlineData("method: {kind: full, rank: 3}", "method.rank")]
    [InlineData("method: {alpha: 8}", "method.alpha")]
    [InlineData("method: {kind: full}\nquantize: nf4", "quantize")]
    public void Contradictions_are_refused(string lines, string key) => _folder.ErrorWith(lines).Key.ShouldBe(key);

    [Fact]
    public void Files_of_unknown_kinds_are_refused()
    {
        _folder.Errors("model: m\noutput: o\ndata: {train: [a.txt, b.xlsx], validation: c}").Select(e => e.Key).ShouldBe(["data.train", "data.validation"]);
    }

    [Theory]
    [InlineData("model: [", 2)]
    [InlineData("model: m\n\toutput: o", 1)]
    [InlineData("model: m\n---\nmodel: n", 2)]
    [InlineData("model: *nothing", 1)]
    [InlineData("model: \"open", 1)]
    public void Broken_yaml_is_refused_with_its_line(string yaml, int line)
    {
        var error = _folder.Errors(yaml).ShouldHaveSingleItem();
        error.Location.ShouldBe($"config.yaml:{line}");
        error.Problem.ShouldContain("YAML");
    }

    [Fact]
    public void Yaml_nested_without_end_is_refused() => _folder.Errors(new string('[', 100_000)).ShouldHaveSingleItem().Problem.ShouldContain("deep");

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("null")]
    public void An_empty_file_lacks_what_is_required(string yaml) =>
        _folder.Errors(yaml).Select(e => e.Key).ShouldBe(["model", "output", "data.train"]);

    [Theory]
    [InlineData("just text")]
    [InlineData("- a\n- b")]
    public void A_document_without_keys_is_refused(string yaml) => _folder.Errors(yaml)[^1].Problem.ShouldContain("expected");

    [Fact]
    public void A_missing_file_and_a_folder_are_named()
    {
        Should.Throw<ConfigException>(() => RunConfig.Load(Path.Combine(_folder.Path, "absent.yaml"), [])).Message.ShouldContain("does not exist");
        Should.Throw<ConfigException>(() => RunConfig.Load(_folder.Path, [])).Message.ShouldContain("folder");
    }

    [Fact]
    public void Whatever_stands_in_a_file_the_errors_are_those_of_a_config() =>
        Gen.Select(YamlPiece.Array[0, 25], YamlPiece.Array[0, 6]).Sample((file, set) =>
        {
            try
            {
                _folder.Load(string.Concat(file), "seed=" + string.Concat(set));
            }
            catch (ConfigException e)
            {
                e.Errors.ShouldNotBeEmpty();
            }
        }, iter: 3000, threads: 1);

    [Fact]
    public void An_override_of_an_unknown_key_names_the_override()
    {
        var error = _folder.Errors(ConfigTestFolder.Minimal, "method.rnak=3").ShouldHaveSingleItem();
        error.Location.ShouldBe("--set method.rnak=3");
        error.Problem.ShouldContain("method.rank");
    }

    public void Dispose() => _folder.Dispose();
}
