using Meft.Core.Configuration;
using Shouldly;

namespace Meft.Core.Tests.Configuration;

/// <summary><c>data.train</c>: a file, a list of files, files with weights.</summary>
public sealed class TrainFilesConfigTests : IDisposable
{
    private readonly ConfigTestFolder _folder = new();

    [Theory]
    [InlineData("a.jsonl", "a.jsonl", "")]
    [InlineData("[a.jsonl, b.txt]", "a.jsonl b.txt", "")]
    [InlineData("{file: a.jsonl}", "a.jsonl", "")]
    [InlineData("[a.jsonl, {file: b.txt, weight: 1}]", "a.jsonl b.txt", "")]
    [InlineData("[a.jsonl, {file: b.txt, weight: 0.5}]", "a.jsonl b.txt", "1 0.5")]
    [InlineData("{weight: 2.5, file: a.jsonl}", "a.jsonl", "2.5")]
    [InlineData("[{file: a.jsonl, weight: null}, {file: b.txt, weight: 1e-3}]", "a.jsonl b.txt", "1 0.001")]
    public void Files_stand_alone_or_with_weights(string train, string files, string weights)
    {
        var data = Load(train).Data;
        data.Train.Select(f => Path.GetFileName(f)).ShouldBe(files.Split(' '));
        data.TrainWeights.ShouldBe(weights.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(double.Parse));
        data.Train.ShouldAllBe(f => Path.GetDirectoryName(f) == _folder.Path);
    }

    [Theory]
    [InlineData("[{file: a.jsonl, weight: -1}]", "the weight of a.jsonl: -1 is out of range")]
    [InlineData("[{file: a.jsonl, weight: 0}]", "leave the file out")]
    [InlineData("[{file: a.jsonl, weight: 0.0}, {file: b.jsonl, weight: 0}]", "leave the file out")]
    [InlineData("{file: a.jsonl, weight: .nan}", "'.nan' is no finite number")]
    [InlineData("{file: a.jsonl, weight: 1e400}", "no finite number")]
    [InlineData("{file: a.jsonl, weight: 1e7}", "at most 1000000")]
    [InlineData("{file: a.jsonl, weight: much}", "'much' is no finite number")]
    [InlineData("{file: a.jsonl, weigth: 2}", "did you mean weight?")]
    [InlineData("{weight: 2}", "names no file")]
    [InlineData("{file: [a.jsonl], weight: 2}", "no path")]
    [InlineData("{file: a.jsonl, file: b.jsonl}", "'file' stands twice")]
    [InlineData("[]", "an empty list")]
    [InlineData("[[a.jsonl]]", "a list of 1")]
    [InlineData("[a.jsonl, {file: a.jsonl, weight: 2}]", "'a.jsonl' stands 2 times")]
    public void A_wrong_weight_is_refused(string train, string problem)
    {
        var error = _folder.Errors(Yaml(train)).ShouldHaveSingleItem();
        (error.Key, error.Location).ShouldBe(("data.train", "config.yaml:3"));
        error.Problem.ShouldContain(problem);
        error.Allowed.ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public void The_command_line_takes_the_same_form()
    {
        _folder.Load(Yaml("x.txt"), "data.train=[a.jsonl, {file: b.jsonl, weight: 3}]").Data.TrainWeights.ShouldBe([1, 3]);
        var error = _folder.Errors(Yaml("x.txt"), "data.train.weight=2").ShouldHaveSingleItem();
        error.Location.ShouldBe("--set data.train.weight=2");
        error.Problem.ShouldContain("{file: a.jsonl, weight: 2}");
    }

    [Fact]
    public void Validation_has_no_weights() =>
        _folder.Errors("model: m\noutput: o\ndata: {train: t.txt, validation: {file: a.txt, weight: 2}}").ShouldHaveSingleItem().Key.ShouldBe("data.validation");

    [Fact]
    public void Weights_are_written_back()
    {
        var config = Load("[a.jsonl, {file: b.txt, weight: 0.1}]");
        config.ToYaml().ShouldContain("b.txt\", weight: 0.1}]");
        _folder.Load(config.ToYaml()).ShouldBe(config);
    }

    [Fact]
    public void Packing_excludes_groups_of_like_length()
    {
        _folder.Load("model: m\noutput: o\ndata: {train: t.txt, packing: true}").Data.Packing.ShouldBeTrue();
        _folder.Errors("model: m\noutput: o\ndata: {train: t.txt, packing: true, group_by_length: true}").ShouldHaveSingleItem().Key.ShouldBe("data.packing");
    }

    [Fact]
    public void Weights_are_one_for_each_file()
    {
        var data = new DataConfig { Train = ["/a", "/b"], TrainWeights = [1, 2] };
        data.WeightsByFile().ShouldBe(new Dictionary<string, double> { ["/a"] = 1, ["/b"] = 2 });
        (data with { TrainWeights = [] }).WeightsByFile().ShouldBeEmpty();
        Should.Throw<ArgumentException>(() => (data with { TrainWeights = [1] }).WeightsByFile());
    }

    public void Dispose() => _folder.Dispose();

    private static string Yaml(string train) => $"model: m\noutput: o\ndata: {{train: {train}}}\n";

    private RunConfig Load(string train) => _folder.Load(Yaml(train));
}
