using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data;

public sealed class TokenDatasetTests : IDisposable
{
    private const int E = LetterTokenizer.End, No = TokenRow.Ignored;
    private static readonly ModelLimits Limits = new(LetterTokenizer.Space + 1, 100, E);
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Files_follow_one_another_each_with_its_own_form()
    {
        var dataset = Load(["{\"text\":\"ab\"}", "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}"]);
        dataset.Rows.Select(r => r.Origin).ShouldBe([new(_folder.File("0.jsonl"), 1), new(_folder.File("1.jsonl"), 1), new(_folder.File("1.jsonl"), 2)]);
        (dataset.TruncatedRows, dataset.DroppedRows).ShouldBe((0, 0));
    }

    [Fact]
    public void A_pipe_is_refused_instead_of_waited_for()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes with names are those of Linux");
        var pipe = _folder.File("rows.jsonl");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [pipe])) mkfifo.WaitForExit();
        var e = Should.Throw<InvalidInputException>(
            () => TokenDataset.Load([pipe], new DataConfig { Train = [pipe] }, new LetterTokenizer(), Limits, () => throw new InvalidOperationException()));
        e.Location.ShouldBe(pipe);
        e.Problem.ShouldContain("a pipe or a device");
    }

    [Theory]
    [InlineData("{\"text\":\"\"}", "its text is empty")]
    [InlineData("{\"prompt\":\"a\",\"completion\":\"\"}", "its completion is empty")]
    [InlineData("{\"prompt\":\"a\"}", "no completion")]
    [InlineData("{\"input_ids\":[]}", "no ids")]
    [InlineData("{\"input_ids\":[3]}", "single token")]
    [InlineData("{\"input_ids\":[3,4],\"labels\":[3,-100]}", "every label")]
    public void A_row_with_nothing_to_train_on_is_refused(string line, string reason)
    {
        var e = Fails(line);
        e.Location.ShouldBe($"{_folder.File("0.jsonl")}:1");
        e.Problem.ShouldContain("nothing to train on");
        e.Problem.ShouldContain(reason);
    }

    [Theory]
    [InlineData("{\"input_ids\":[1,203]}", "input ids, 203")]
    [InlineData("{\"input_ids\":[1,-1]}", "input ids, -1")]
    [InlineData("{\"input_ids\":[1,2],\"labels\":[1,203]}", "labels, 203")]
    [InlineData("{\"input_ids\":[1,2],\"labels\":[1,-101]}", "labels, -101")]
    [InlineData("{\"text\":\"\\u1234\"}", "input ids, 4660")]
    public void Ids_outside_of_the_vocabulary_are_refused(string line, string what)
    {
        var e = Fails(line);
        e.Location.ShouldBe($"{_folder.File("0.jsonl")}:1");
        e.Problem.ShouldContain(what);
        e.Allowed.ShouldNotBeNull().ShouldContain("0 to 202");
    }

    [Fact]
    public void Rows_that_are_too_long_are_named_the_longest_first()
    {
        var lines = string.Join('\n', new[] { 3, 9, 6, 4, 8, 7, 5, 10 }.Select(n => $"{{\"prompt\":\"{new string('a', n - 2)}\",\"completion\":\"b\"}}"));
        var e = Fails(lines, maxLength: 4);
        var file = _folder.File("0.jsonl");
        e.Problem.ShouldBe($"6 rows are longer than data.max_length 4, the longest: {file}:8 (10 tokens), {file}:2 (9 tokens), {file}:5 (8 tokens), "
            + $"{file}:6 (7 tokens), {file}:3 (6 tokens)");
        e.NextStep.ShouldNotBeNull().ShouldContain("truncate");
    }

    [Fact]
    public void A_model_that_allows_less_than_the_config_says_so() =>
        Fails("{\"input_ids\":[1,2,3,4]}", limits: Limits with { MaxPositions = 3 }).Problem.ShouldContain("3 tokens that the model allows");

    [Fact]
    public void Rows_that_are_too_long_can_be_truncated()
    {
        var dataset = Load(["{\"input_ids\":[1,2,3,4]}\n{\"input_ids\":[1,2]}"], maxLength: 3, overLength: OverLength.Truncate);
        dataset.Rows.Select(r => r.Length).ShouldBe([3, 2]);
        dataset.Rows[0].Labels.ShouldBe([1, 2, 3]);
        dataset.TruncatedRows.ShouldBe(1);
    }

    [Fact]
    public void A_row_that_truncation_leaves_nothing_to_train_on_is_refused() =>
        Should.Throw<InvalidInputException>(() => Load(["{\"prompt\":\"abcdef\",\"completion\":\"g\"}"], maxLength: 4, overLength: OverLength.Truncate))
            .Problem.ShouldContain("truncated to 4");

    [Fact]
    public void Rows_that_are_too_long_can_be_dropped()
    {
        var dataset = Load(["{\"input_ids\":[1,2,3,4]}\n{\"input_ids\":[1,2]}"], maxLength: 3, overLength: OverLength.Drop);
        dataset.Rows.ShouldHaveSingleItem().Length.ShouldBe(2);
        dataset.DroppedRows.ShouldBe(1);
        Should.Throw<InvalidInputException>(() => Load(["{\"input_ids\":[1,2,3,4]}"], maxLength: 3, overLength: OverLength.Drop));
    }

    [Theory]
    [InlineData(OverLength.Error)]
    [InlineData(OverLength.Drop)]
    public void A_long_text_is_cut_whatever_is_said_of_long_rows(OverLength overLength)
    {
        var dataset = Load(["{\"text\":\"abcdefg\"}"], maxLength: 4, overLength: overLength);
        dataset.Rows.SelectMany(r => r.InputIds).ShouldBe(['a', 'b', 'c', 'd', 'e', 'f', 'g', E]);
        dataset.DroppedRows.ShouldBe(0);
    }

    public void Dispose() => _folder.Dispose();

    private TokenDataset Load(string[] files, int maxLength = 512, OverLength overLength = OverLength.Error, ModelLimits? limits = null)
    {
        string[] paths = [.. files.Select((text, i) => _folder.Write($"{i}.jsonl", text))];
        var data = new DataConfig { Train = [.. paths], MaxLength = maxLength, OverLength = overLength };
        return TokenDataset.Load(data.Train, data, new LetterTokenizer(), limits ?? Limits, () => throw new InvalidOperationException("no row is a conversation"));
    }

    private InvalidInputException Fails(string lines, int maxLength = 512, ModelLimits? limits = null) =>
        Should.Throw<InvalidInputException>(() => Load([lines], maxLength, OverLength.Error, limits));
}
