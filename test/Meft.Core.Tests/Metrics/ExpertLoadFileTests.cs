using Meft.Core.Errors;
using Meft.Core.Metrics;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Metrics;

public sealed class ExpertLoadFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static ExpertLoad Load(int from, int to) => new(to, from, 40, [new LayerLoad(3, 16, [30, 0, 50], 0.25, 7, 5), new LayerLoad(4, 16, [], double.NaN, 0, 16)]);

    [Fact]
    public void A_window_is_one_line_with_every_layer()
    {
        var path = _folder.File("experts.jsonl");
        using (var file = new ExpertLoadFile(path)) file.Write(Load(1, 10));
        File.ReadAllText(path).ShouldBe(
            """
            {"step":10,"from_step":1,"tokens":40,"layers":[
            {"layer":3,"rank":16,"active_rows":0.25,"used_rows":7,"dead_rows":5,"dead_experts":1,"expert_tokens":[30,0,50]},
            {"layer":4,"rank":16,"active_rows":null,"used_rows":0,"dead_rows":16,"dead_experts":0,"expert_tokens":[]}]}
            """.ReplaceLineEndings("") + "\n");
    }

    [Fact]
    public void It_is_read_as_it_was_written_and_what_is_no_window_is_left_out()
    {
        var path = _folder.File("experts.jsonl");
        using (var file = new ExpertLoadFile(path)) file.Write(Load(1, 10));
        File.AppendAllText(path, "{\"step\": 11}\nnull\n{\"step\":12,\"from_step\":11,\"tokens\":1,\"layers\":3}\n{\"st");
        var read = ExpertLoadFile.Read(path).ShouldHaveSingleItem();
        (read.Step, read.FromStep, read.Tokens).ShouldBe((10, 1, 40));
        read.Layers[0].ExpertTokens.ShouldBe([30, 0, 50]);
        read.Layers[1].ActiveRows.ShouldBe(double.NaN);
        read.DeadExperts.ShouldBe(1 / 3.0);
        read.DeadRows.ShouldBe(21 / 32.0);
        ExpertLoadFile.Read(_folder.File("absent.jsonl")).ShouldBeEmpty();
    }

    [Fact]
    public void A_resumed_run_drops_the_windows_that_it_will_count_again()
    {
        var path = _folder.File("experts.jsonl");
        using (var file = new ExpertLoadFile(path))
        {
            file.Write(Load(1, 10));
            file.Write(Load(11, 15));
        }
        using (var file = new ExpertLoadFile(path, keepThroughStep: 10)) file.Write(Load(11, 20));
        ExpertLoadFile.Read(path).Select(l => l.Step).ShouldBe([10, 20]);
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_an_error_that_names_it()
    {
        var error = Should.Throw<RunFailedException>(() => new ExpertLoadFile(_folder.File("absent/experts.jsonl")));
        error.Location.ShouldBe(_folder.File("absent/experts.jsonl"));
        error.Message.ShouldContain("expert load cannot be written");
    }

    public void Dispose() => _folder.Dispose();
}
