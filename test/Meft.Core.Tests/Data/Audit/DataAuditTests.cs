using System.Text.Json;
using Meft.Core.Chat;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data.Audit;

public sealed class DataAuditTests : IDisposable
{
    private const int E = LetterTokenizer.End;
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void All_rows_that_cannot_be_used_are_named_together()
    {
        var e = Should.Throw<DataRefusedException>(() => Load("{\"text\":\"a\"}\n{\n{\"text\":3}\n{\"text\":\"\"}\n{\"text\":\"b\"}"));
        var file = _folder.File("rows.jsonl");
        e.Message.ShouldContain("3 of 5 rows cannot be used");
        e.Message.ShouldContain($"{file}:2: the line is no valid JSON");
        e.Message.ShouldContain($"{file}:3: \"text\" is a number");
        e.Message.ShouldContain($"{file}:4: the row has nothing to train on: its text is empty");
        e.Message.ShouldContain("data.bad_rows: skip");
        (e.Audit.RowsRead, e.Audit.RowsKept, e.Audit.RefusedRows, e.Audit.RowsWithNothingToTrain).ShouldBe((5, 2, 3, 1));
    }

    [Fact]
    public void The_names_of_many_rows_are_bounded()
    {
        var e = Should.Throw<DataRefusedException>(() => Load(string.Join('\n', Enumerable.Repeat("{\"text\":1}", 50))));
        e.Audit.Refused.Count.ShouldBe(20);
        e.Message.ShouldContain("and 30 more");
    }

    [Fact]
    public void A_single_row_is_an_error_with_its_place()
    {
        var e = Should.Throw<DataRefusedException>(() => Load("{\"text\":\"a\"}\n{\"text\":3}"));
        (e.Problem, e.Location, e.Allowed).ShouldBe(("\"text\" is a number", $"{_folder.File("rows.jsonl")}:2", "a string"));
    }

    [Fact]
    public void Rows_that_cannot_be_used_can_be_left_out()
    {
        var dataset = Load("{\"text\":\"a\"}\n{\n{\"text\":\"b\"}", d => d with { BadRows = BadRows.Skip });
        dataset.Rows.Select(r => r.Origin.Line).ShouldBe([1, 3]);
        dataset.Audit.Refused.ShouldHaveSingleItem().Place.ShouldEndWith(":2");
        Should.Throw<InvalidInputException>(() => Load("{", d => d with { BadRows = BadRows.Skip })).Problem.ShouldContain("no row is left");
    }

    [Fact]
    public void Lengths_tokens_and_what_is_lost_are_counted()
    {
        var lines = string.Join('\n', Enumerable.Range(1, 100).Select(n => $"{{\"prompt\":\"a\",\"completion\":\"{new string('b', n)}\"}}"));
        var audit = Load(lines, d => d with { MaxLength = 92, OverLength = OverLength.Truncate }).Audit;
        audit.Lengths.ShouldBe(new LengthPercentiles(52, 92, 92, 92));
        (audit.RowsTooLong, audit.TruncatedRows, audit.DroppedRows, audit.TokensLost, audit.RowsWithoutEnd).ShouldBe((10, 10, 0, 55, 10));
        audit.Longest[0].ShouldBe(new LongRow($"{_folder.File("rows.jsonl")}:100", 102));
        audit.TrainedTokens.ShouldBe(audit.Tokens - 100);

        var dropped = Load(lines, d => d with { MaxLength = 92, OverLength = OverLength.Drop }).Audit;
        (dropped.RowsKept, dropped.DroppedRows, dropped.RowsWithoutEnd).ShouldBe((90, 10, 0));
        dropped.TokensLost.ShouldBe(Enumerable.Range(93, 10).Sum());
    }

    [Fact]
    public void Texts_that_are_cut_lose_nothing_and_end_once()
    {
        var audit = Load("{\"text\":\"abcdefgh\"}\n{\"text\":\"a\"}", d => d with { MaxLength = 4 }).Audit;
        (audit.RowsRead, audit.RowsKept, audit.CutTexts, audit.TokensLost, audit.RowsWithoutEnd).ShouldBe((2, 4, 1, 0, 0));
    }

    [Fact]
    public void Rows_of_ids_without_the_end_token_are_counted() =>
        Load($"{{\"input_ids\":[97,98]}}\n{{\"input_ids\":[97,{E}]}}").Audit.RowsWithoutEnd.ShouldBe(1);

    [Fact]
    public void Three_rows_are_shown_with_what_is_trained()
    {
        var audit = Load("{\"prompt\":\"a\",\"completion\":\"b\"}\n" + string.Join('\n', Enumerable.Repeat("{\"prompt\":\"c\",\"completion\":\"de\"}", 20)) + "\n{\"prompt\":\"f\",\"completion\":\"ghi\"}").Audit;
        audit.Shown.Select(r => r.Which).ShouldBe(["the first", "the longest", "one of them"]);
        audit.Shown[0].Parts.ShouldBe([new ShownPart("a", false), new ShownPart("b</s>", true)]);
        (audit.Shown[1].Place, audit.Shown[1].Tokens, audit.Shown[1].TrainedTokens).ShouldBe(($"{_folder.File("rows.jsonl")}:22", 5, 4));
    }

    [Theory]
    [InlineData("a", "the first")]
    [InlineData("a,b", "the first", "one of them")]
    [InlineData("a,bc", "the first", "the longest")]
    [InlineData("a,b,c", "the first", "one of them", "one of them")]
    [InlineData("abc,b,c,d,e,f,g,h,i", "the first", "one of them", "one of them")]
    [InlineData("a,bc,d", "the first", "the longest", "one of them")]
    [InlineData("a,b,c,d,e,f,g,h,ij", "the first", "the longest", "one of them")]
    public void As_many_different_rows_are_shown_as_there_are_up_to_three(string texts, params string[] which)
    {
        var shown = Load(string.Join('\n', texts.Split(',').Select(text => $"{{\"text\":\"{text}\"}}"))).Audit.Shown;
        shown.Select(r => r.Which).ShouldBe(which);
        shown.Select(r => r.Place).ShouldBeUnique();
    }

    [Fact]
    public void The_rows_that_are_drawn_lie_at_different_places()
    {
        var drawn = Enumerable.Range(3, 200).Select(count =>
            Load(string.Join('\n', Enumerable.Repeat("{\"text\":\"a\"}", count))).Audit.Shown[1].Place.Split(':')[^1]).Distinct().Count();
        drawn.ShouldBeGreaterThan(3);
    }

    [Fact]
    public void The_middle_of_a_long_row_is_not_shown()
    {
        var part = Load($"{{\"prompt\":\"{new string('a', 5000)}\",\"completion\":\"b\"}}", d => d with { MaxLength = 6000 }).Audit.Shown[0].Parts[0];
        part.Text.Length.ShouldBeLessThan(700);
        part.Text.ShouldContain("4,400 characters");
    }

    [Fact]
    public void An_audit_comes_back_from_its_json()
    {
        var audit = Load("{\"prompt\":\"a\",\"completion\":\"b\"}\n{", d => d with { BadRows = BadRows.Skip }).Audit;
        var json = audit.ToJson();
        json.ShouldContain("\"rows_read\": 2");
        DataAudit.FromJson(json).ToJson().ShouldBe(json);
        using var document = JsonDocument.Parse(new RunAudit(audit, null, null).ToJson());
        document.RootElement.GetProperty("train").GetProperty("refused_rows").GetInt32().ShouldBe(1);
    }

    [Fact]
    public void Rows_and_prompts_that_validation_shares_are_found()
    {
        var train = Load("{\"prompt\":\"ab\",\"completion\":\"c\"}\n{\"prompt\":\"ab\",\"completion\":\"d\"}\n{\"prompt\":\"xy\",\"completion\":\"c\"}").Rows;
        var validation = Load("{\"prompt\":\"ab\",\"completion\":\"d\"}\n{\"prompt\":\"ab\",\"completion\":\"e\"}\n{\"prompt\":\"new\",\"completion\":\"c\"}", name: "v.jsonl").Rows;
        var overlap = RowOverlap.Find(train, validation);
        var (t, v) = (_folder.File("rows.jsonl"), _folder.File("v.jsonl"));
        (overlap.IdenticalRows, overlap.IdenticalPrompts).ShouldBe((1, 1));
        overlap.FirstRows.ShouldBe([new SharedRow($"{v}:1", $"{t}:2")]);
        overlap.FirstPrompts.ShouldBe([new SharedRow($"{v}:2", $"{t}:1")]);
    }

    [Fact]
    public void Instructions_are_alpacas_prompt_with_and_without_input()
    {
        var rows = Load("{\"instruction\":\"do\",\"input\":\"this\",\"output\":\"ok\"}\n{\"instruction\":\"do\",\"input\":\"\",\"output\":\"ok\"}\n{\"instruction\":\"do\",\"output\":\"ok\",\"system\":\"s\"}").Rows;
        var texts = rows.Select(r => string.Concat(r.InputIds.Select(i => new LetterTokenizer().Piece(i)))).ToList();
        texts[0].ShouldBe("Below is an instruction that describes a task, paired with an input that provides further context. Write a response that "
            + "appropriately completes the request.\n\n### Instruction:\ndo\n\n### Input:\nthis\n\n### Response:ok</s>");
        texts[1].ShouldBe("Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
            + "### Instruction:\ndo\n\n### Response:ok</s>");
        texts[2].ShouldBe(texts[1]);
        rows.ShouldAllBe(r => r.TrainedTokens == 3);
        Should.Throw<DataRefusedException>(() => Load("{\"instruction\":\"do\"}")).Problem.ShouldContain("no output");
    }

    [Fact]
    public void A_conversation_without_an_answer_is_refused_and_a_model_without_template_is_an_error_of_its_own()
    {
        const string Question = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
        Should.Throw<DataRefusedException>(() => Load(Question, template: () => ChatTemplate.Parse("x{{ messages[0].content }}", "t", new Dictionary<string, string>())))
            .Problem.ShouldContain("no message of the assistant's");
        Should.Throw<ChatTemplateException>(() => Load(Question, template: () => throw new ChatTemplateException("m", 0, "the model has no chat template")));
    }

    public void Dispose() => _folder.Dispose();

    private TokenDataset Load(string lines, Func<DataConfig, DataConfig>? with = null, Func<ChatTemplate>? template = null, string name = "rows.jsonl")
    {
        var data = new DataConfig { Train = [_folder.Write(name, lines)], MaxLength = 512 };
        data = with?.Invoke(data) ?? data;
        return TokenDataset.Load(
            data.Train, data, new LetterTokenizer(), new ModelLimits(LetterTokenizer.Space + 1, 10_000, E), template ?? (() => throw new InvalidOperationException("no row is a conversation")));
    }
}
