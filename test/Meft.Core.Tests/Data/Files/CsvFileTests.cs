using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Shouldly;

namespace Meft.Core.Tests.Data.Files;

public sealed class CsvFileTests : DataFiles
{
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public void Fields_are_read_as_rfc_4180_has_them(string lineEnd)
    {
        var path = Write("a.csv", string.Join(lineEnd, "\ufeffprompt,\"completion\",id", "\"a, \"\"b\"\"\", é,1", "", "\"two\nlines\",c,2", "d,,3") + lineEnd);
        Read(path).ShouldBe([
            new PromptCompletionRow(new RowOrigin(path, 2), "a, \"b\"", " é"),
            new PromptCompletionRow(new RowOrigin(path, 4), "two\nlines", "c"),
            new PromptCompletionRow(new RowOrigin(path, 6), "d", ""),
        ]);
    }

    [Fact]
    public void Columns_of_lists_hold_json()
    {
        var ids = Read(Write("i.csv", "input_ids,labels\n\"[1,2,3]\",\"[-100,2,3]\"\n\"[4,5]\",\n")).Cast<TokenIdsRow>().ToList();
        ids[0].InputIds.ShouldBe([1, 2, 3]);
        ids[0].Labels.ShouldBe([-100, 2, 3]);
        ids[1].Labels.ShouldBeNull();
        var chat = Read(Write("m.csv", "messages\n\"[{\"\"role\"\":\"\"user\"\",\"\"content\"\":\"\"a\"\"}]\"\n")).ShouldHaveSingleItem().ShouldBeOfType<MessagesRow>();
        chat.Messages[0].GetProperty("content").GetString().ShouldBe("a");
    }

    [Theory]
    [InlineData("text,b\nx\n", "1 field and the first row names 2 columns", 2)]
    [InlineData("text,b\nx,y,z\n", "3 fields", 2)]
    [InlineData("text\n\"a\"b\n", "quote", 2)]
    [InlineData("text\na\"b\n", "quote", 2)]
    [InlineData("text\n\"a\nb\n", "quote", 2)]
    [InlineData("messages\n\"[{'role':'user'}]\"\n", "no valid JSON", 2)]
    [InlineData("messages\nhello\n", "no valid JSON", 2)]
    [InlineData("input_ids\n7\n", "\"input_ids\" is a number", 2)]
    [InlineData("prompt,text\na,b\n", "2 ways", 2)]
    public void A_row_that_is_wrong_is_told_by_its_line(string text, string problem, int line)
    {
        var e = ErrorOf(Read(Write("a.csv", text)).ShouldHaveSingleItem());
        e.Problem.ShouldContain(problem);
        e.Location.ShouldBe($"{Folder.File("a.csv")}:{line}");
    }

    [Fact]
    public void Rows_after_a_wrong_one_are_read()
    {
        var rows = Read(Write("a.csv", "text,id\n\"a\nb\",1\nshort\nc,2\n"));
        rows.Count.ShouldBe(3);
        ErrorOf(rows[1]).Location.ShouldBe($"{Folder.File("a.csv")}:4");
        rows[2].ShouldBe(new TextRow(new RowOrigin(Folder.File("a.csv"), 5), "c"));
    }

    [Fact]
    public void A_row_that_is_no_utf8_is_told_by_its_line()
    {
        var rows = Read(Write("a.csv", [.. "text\n"u8, 0xE9, .. "\nb\n"u8]));
        (ErrorOf(rows[0]).Problem, ErrorOf(rows[0]).Origin.Line).ShouldBe(("the line is no valid UTF-8", 2));
        rows[1].ShouldBeOfType<TextRow>();
    }

    [Theory]
    [InlineData("txet,b\nx,y\n", "names no column", "\"txet\", \"b\"")]
    [InlineData("prompt;completion\na;b\n", "names no column", "prompt;completion")]
    [InlineData("text,text\na,b\n", "\"text\" twice", "")]
    [InlineData("\"text\nx\n", "quote", "")]
    [InlineData("", "no rows", "")]
    [InlineData("text\n", "no rows", "")]
    public void A_file_without_a_usable_first_row_is_refused(string text, string problem, string names)
    {
        var e = Should.Throw<InvalidInputException>(() => Read(Write("a.csv", text)));
        e.Problem.ShouldContain(problem);
        e.Problem.ShouldContain(names);
        e.Location.ShouldNotBeNull().ShouldStartWith(Folder.File("a.csv"));
    }

    [Fact]
    public void A_missing_column_is_told()
    {
        var e = ErrorOf(Read(Write("a.csv", "prompt\na\n"), RowFormat.Instruction).ShouldHaveSingleItem());
        e.Problem.ShouldBe("the row has no \"instruction\"");
    }

    [Fact]
    public void A_folder_is_refused()
    {
        Directory.CreateDirectory(Folder.File("d.csv"));
        Should.Throw<InvalidInputException>(() => Read(Folder.File("d.csv"))).Problem.ShouldContain("folder");
    }
}
