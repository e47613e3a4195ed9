using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Core.Planning;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Planning;

public sealed class PlanSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PlanSourceTests() => _folder.Write("m/config.json", PlanSamples.SevenBillion);

    [Fact]
    public void A_config_json_alone_is_enough_and_what_is_assumed_is_said()
    {
        var source = PlanSource.Read(Config());
        source.Rows.ShouldBeNull();
        source.Work.ShouldBe(new Workload(
            4 * 512, 4 * 512, 4 * 512, 4 * 512, 2, 1, null, "rows.jsonl is not there, so every micro-batch is taken for 4 rows of 512 tokens, all trained"));
        PlanSource.Read(Config() with { Data = Config().Data with { MaxLength = 4096 } }).Work.WorstTokens.ShouldBe(4 * 2048); // the model's own limit
    }

    [Fact]
    public void Rows_of_ids_are_read_without_a_tokenizer()
    {
        _folder.Write("rows.jsonl", string.Concat(Enumerable.Range(2, 9).Select(n =>
            $"{{\"input_ids\":[{string.Join(',', Enumerable.Repeat(3, n))}],\"labels\":[{string.Join(',', Enumerable.Repeat(-100, n - 1))},3]}}\n")));
        var work = PlanSource.Read(Config() with { Data = Config().Data with { Shuffle = false } }).Work;
        // Rows of 2 to 10 tokens, four a micro-batch, two micro-batches a step.
        work.WorstTokens.ShouldBe(6 + 7 + 8 + 9);
        work.WorstTrained.ShouldBe(4);
        work.MeanTokens.ShouldBe(54 / 3.0);
        (work.MicroBatches, work.Steps, work.DistinctSizes, work.Assumption).ShouldBe((2, 2, 3, null));
    }

    [Fact]
    public void Packed_rows_are_counted_by_bins()
    {
        _folder.Write("rows.jsonl", string.Concat(Enumerable.Range(2, 9).Select(n => $"{{\"input_ids\":[{string.Join(',', Enumerable.Repeat(3, n))}]}}\n")));
        var work = PlanSource.Read(Config() with { Data = Config().Data with { Shuffle = false, Packing = true, MaxLength = 12 } }).Work;
        // Rows of 2 to 10 tokens in bins of 12: 10+2, 9+3, 8+4, 7+5, 6, by their first rows; four bins a micro-batch.
        work.WorstTokens.ShouldBe(4 * 12);
        work.WorstTrained.ShouldBe(4 * 10);
        work.MeanTokens.ShouldBe(54 / 2.0);
        (work.MicroBatches, work.Steps, work.DistinctSizes).ShouldBe((2, 1, 2));
    }

    [Fact]
    public void Rows_of_text_without_a_tokenizer_are_assumed()
    {
        _folder.Write("rows.jsonl", "{\"text\":\"a\"}\n");
        PlanSource.Read(Config()).Work.Assumption.ShouldNotBeNull().ShouldContain("tokenizer.json");
    }

    [Fact]
    public void A_row_that_cannot_be_used_is_an_error_with_its_place()
    {
        _folder.Write("rows.jsonl", "{\"input_ids\":[1,2],\"labels\":[1,2]}\n{\"input_ids\":[1,99999],\"labels\":[1,2]}\n");
        Should.Throw<InvalidInputException>(() => PlanSource.Read(Config())).Message.ShouldContain("rows.jsonl:2");
    }

    [Fact]
    public void A_folder_without_config_json_is_named()
    {
        Directory.CreateDirectory(_folder.File("empty"));
        Should.Throw<InvalidInputException>(() => PlanSource.Read(Config() with { Model = _folder.File("empty") })).Message.ShouldContain("config.json");
    }

    public void Dispose() => _folder.Dispose();

    private RunConfig Config() => new()
    {
        Model = _folder.File("m"),
        Output = _folder.File("out"),
        Data = new DataConfig { Train = [_folder.File("rows.jsonl")] },
        Batch = new BatchConfig { Size = 4, Accumulate = 2 },
    };
}
