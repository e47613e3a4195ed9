using System.Text;
using CsCheck;
using Meft.Core.Data;
using Meft.Core.Errors;
using Shouldly;

namespace Meft.Core.Tests.Data.Files;

public sealed class JsonArrayFileTests : DataFiles
{
    [Fact]
    public void Objects_of_a_list_are_rows_with_their_lines_and_numbers()
    {
        var path = Write("a.json", "\ufeff[\r\n  {\"text\": \"a\"},\r\n\r\n  {\"text\":\r\n \"é\"}, {\"text\": \"c\"}\r\n]\r\n");
        Read(path).ShouldBe([
            new TextRow(new RowOrigin(path, 2, 1), "a"), new TextRow(new RowOrigin(path, 4, 2), "é"), new TextRow(new RowOrigin(path, 5, 3), "c"),
        ]);
        new RowOrigin(path, 4, 2).ToString().ShouldBe($"{path}:4 (row 2)");
    }

    [Fact]
    public void A_row_that_is_wrong_does_not_hide_those_after_it()
    {
        var rows = Read(Write("a.json", "[{\"text\":\"a\"},\n3,\n{\"text\":4},\n{\"text\":\"b\"}]"));
        rows.Count.ShouldBe(4);
        (ErrorOf(rows[1]).Problem, ErrorOf(rows[1]).Location).ShouldBe(("the row is a number, not a JSON object", $"{Folder.File("a.json")}:2 (row 2)"));
        ErrorOf(rows[2]).Problem.ShouldBe("\"text\" is a number");
        rows[3].ShouldBeOfType<TextRow>().Text.ShouldBe("b");
    }

    [Theory]
    [InlineData("{\"text\":\"a\"}", "the file is an object, not a list", "a.json", ".jsonl")]
    [InlineData("{\"text\":\"a\"}\n{\"text\":\"b\"}", "the file is an object, not a list", "a.json", ".jsonl")]
    [InlineData("\"a\"", "a single value", "a.json", null)]
    [InlineData("nonsense", "no valid JSON", "a.json:1", null)]
    [InlineData("[{\"text\":\"a\"},\n{\"text\":\"b\"", "no valid JSON after row 1", "a.json:2", null)]
    [InlineData("[{\"text\":\"a\"},\n\n{\"text\":\"b\"}", "no valid JSON after row 2", "a.json:3", null)]
    [InlineData("[{\"text\":\"a\"}\n{\"text\":\"b\"}]", "no valid JSON after row 1", "a.json:2", null)]
    [InlineData("[{\"text\":\"a\"}]\n[]", "no valid JSON after row 1", "a.json:2", null)]
    [InlineData("[{\"text\":\"a\"},]", "no valid JSON after row 1", "a.json:1", null)]
    [InlineData("", "no rows", "a.json", null)]
    [InlineData(" \n", "no rows", "a.json", null)]
    [InlineData("[]", "no rows", "a.json", null)]
    public void A_file_that_is_no_list_is_refused(string text, string problem, string place, string? next)
    {
        var e = Should.Throw<InvalidInputException>(() => Read(Write("a.json", text)));
        e.Problem.ShouldContain(problem);
        e.Location.ShouldBe(Folder.File(place));
        if (next is not null) e.NextStep.ShouldNotBeNull().ShouldContain(next);
    }

    [Fact]
    public void A_folder_and_a_file_that_is_not_there_are_refused()
    {
        Directory.CreateDirectory(Folder.File("d.json"));
        Should.Throw<InvalidInputException>(() => Read(Folder.File("d.json"))).Problem.ShouldContain("folder");
        Should.Throw<InvalidInputException>(() => Read(Folder.File("no.json"))).Problem.ShouldContain("does not exist");
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_an_error_of_their_row()
    {
        var rows = Read(Write("a.json", [.. "[{\"text\":\""u8, 0xE9, .. "\"},{\"text\":\"b\"}]"u8]));
        ErrorOf(rows[0]).Problem.ShouldContain("Unicode");
        rows[1].ShouldBeOfType<TextRow>();
    }

    [Fact]
    public void Rows_of_any_length_are_read_whole() =>
        Gen.Int[0, 300_000].Array[1, 4].Sample(lengths =>
        {
            var text = new StringBuilder("[");
            foreach (var length in lengths) text.Append(text.Length > 1 ? ",\n" : "").Append("{\"text\":\"").Append('a', length).Append("\"}");
            var path = Write("long.json", text.Append(']').ToString());
            Read(path).ShouldBe(lengths.Select((n, i) => (RawRow)new TextRow(new RowOrigin(path, i + 1, i + 1), new string('a', n))));
        }, iter: 20, threads: 1);
}
