using System.Text;
using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data;

public sealed class RowFileTests : IDisposable
{
    private static readonly string[] JsonParts =
        ["{", "}", "[", "]", "\"text\"", "\"input_ids\"", "\"labels\"", "\"prompt\"", "\"completion\"", ":", ",", "1", "-100", "1e9", "null", "\"a\"", "\"\\ud800\"", "\n", "\0", " "];

    private static readonly string[] Parts = ["ab", "c", "\n", "\n\n", " ", "<|endoftext|>", "\r\n"];
    private static readonly Gen<string> Pieces = Gen.Int[0, Parts.Length - 1].Select(i => Parts[i]);
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Json_lines_give_rows_of_each_form_with_their_lines()
    {
        Read("t.jsonl", "{\"text\": \"a\\u00e9\"}\n\n{\"text\":\"b\",\"id\":3}").ShouldBe([
            new TextRow(At("t.jsonl", 1), "aé"), new TextRow(At("t.jsonl", 3), "b"),
        ]);
        Read("p.jsonl", "\ufeff{\"prompt\":\"a\",\"completion\":\" b\"}\r\n{\"prompt\":\"c\"}\r\n").ShouldBe([
            new PromptCompletionRow(At("p.jsonl", 1), "a", " b"), new PromptRow(At("p.jsonl", 2), "c"),
        ]);
        var ids = Read("i.jsonl", "{\"input_ids\":[1,2,3],\"labels\":[-100,-100,3]}\n{\"input_ids\":[7]}").Cast<TokenIdsRow>().ToList();
        ids[0].InputIds.ShouldBe([1, 2, 3]);
        ids[0].Labels.ShouldBe([-100, -100, 3]);
        ids[1].Labels.ShouldBeNull();
    }

    [Fact]
    public void A_given_form_settles_rows_that_have_keys_of_several()
    {
        const string Line = "{\"prompt\":\"a\",\"completion\":\"b\",\"text\":\"ab\"}";
        Read("x.jsonl", Line, RowFormat.Text).ShouldBe([new TextRow(At("x.jsonl", 1), "ab")]);
        Fails("x.jsonl", Line).NextStep.ShouldNotBeNull().ShouldContain("data.format");
    }

    [Theory]
    [InlineData("{\"text\": \"a\"", "JSON")]
    [InlineData("nonsense", "JSON")]
    [InlineData("{\"text\": \"a\"} {}", "JSON")]
    [InlineData("[1]", "a list")]
    [InlineData("{}", "no keys")]
    [InlineData("{\"txet\": \"a\"}", "\"txet\"")]
    [InlineData("{\"text\": 3}", "a number")]
    [InlineData("{\"text\": null}", "null")]
    [InlineData("{\"text\": \"\\ud800\"}", "Unicode")]
    [InlineData("{\"prompt\": \"a\", \"completion\": [\"b\"]}", "\"completion\" is a list")]
    [InlineData("{\"input_ids\": \"1 2\"}", "a string")]
    [InlineData("{\"input_ids\": [1, 2.5]}", "2.5")]
    [InlineData("{\"input_ids\": [1, \"2\"]}", "entry 1")]
    [InlineData("{\"input_ids\": [1, 99999999999]}", "99999999999")]
    [InlineData("{\"input_ids\": [1, 2], \"labels\": [1]}", "2 entries")]
    [InlineData("{\"messages\": []}", "\"messages\" is empty")]
    [InlineData("{\"instruction\": \"a\", \"input\": 3, \"output\": \"b\"}", "\"input\" is a number")]
    public void A_line_that_is_no_row_is_refused_with_its_place(string line, string reason)
    {
        var e = Fails("bad.jsonl", "\n" + line);
        e.Location.ShouldBe($"{_folder.File("bad.jsonl")}:2");
        e.Problem.ShouldContain(reason);
        e.Allowed.ShouldNotBeNull();
    }

    [Fact]
    public void Rows_of_another_form_than_the_first_are_refused()
    {
        var e = Fails("mixed.jsonl", "{\"text\":\"a\"}\n{\"prompt\":\"a\",\"completion\":\"b\"}");
        e.Location.ShouldBe($"{_folder.File("mixed.jsonl")}:2");
        e.Problem.ShouldContain("line 1");
    }

    [Fact]
    public void A_line_that_is_no_utf8_is_refused_with_its_number()
    {
        File.WriteAllBytes(_folder.File("latin.jsonl"), [.. "{\"text\":\"a\"}\n{\"text\":\""u8, 0xe9, .. "\"}\n"u8]);
        var e = Should.Throw<InvalidInputException>(() => Rows("latin.jsonl"));
        e.Location.ShouldBe($"{_folder.File("latin.jsonl")}:2");
        e.Problem.ShouldContain("UTF-8");
    }

    [Theory]
    [InlineData("e.jsonl", "")]
    [InlineData("e.jsonl", "\n  \n")]
    [InlineData("e.txt", "")]
    [InlineData("e.txt", " \n\n")]
    [InlineData("e.txt", "<|endoftext|>\n<|endoftext|>")]
    public void A_file_without_rows_is_refused(string name, string text) => Fails(name, text).Problem.ShouldContain("no rows");

    [Fact]
    public void Files_that_are_not_there_or_of_no_known_kind_are_refused()
    {
        Should.Throw<InvalidInputException>(() => Rows("absent.jsonl")).Problem.ShouldContain("does not exist");
        Should.Throw<InvalidInputException>(() => Rows("absent/absent.txt")).Problem.ShouldContain("does not exist");
        Should.Throw<InvalidInputException>(() => Rows("table.xlsx")).Allowed.ShouldBe(".jsonl, .json, .csv, .parquet, .txt");
        Directory.CreateDirectory(_folder.File("folder.txt"));
        Should.Throw<InvalidInputException>(() => Rows("folder.txt")).Problem.ShouldContain("folder");
        Fails("text.txt", "a", RowFormat.InputIds).Problem.ShouldContain(".txt");
    }

    [Fact]
    public void Whatever_a_line_holds_it_is_a_row_or_refused() =>
        Gen.Int[0, JsonParts.Length - 1].Select(i => JsonParts[i]).Array[0, 14].Sample(parts =>
        {
            try
            {
                Read("any.jsonl", string.Concat(parts)).ShouldNotBeEmpty();
            }
            catch (InvalidInputException e)
            {
                e.Location.ShouldNotBeNull().ShouldContain("any.jsonl");
            }
        }, iter: 3000, threads: 1);

    [Fact]
    public void A_text_file_with_markers_is_split_at_them() =>
        Read("m.txt", "\none\n\n still one \n<|endoftext|>\n\ntwo<|endoftext|>three\r\nmore<|endoftext|>\n").ShouldBe([
            new TextRow(At("m.txt", 2), "one\n\n still one "), new TextRow(At("m.txt", 7), "two"), new TextRow(At("m.txt", 7), "three\nmore"),
        ]);

    [Fact]
    public void A_text_file_without_markers_joins_paragraphs_up_to_the_longest_length() =>
        // Beginning and end token take two of the twelve places: "aaaa", a blank line and "bbbb" are just ten letters.
        Read("p.txt", "aaaa\n\n\nbbbb\n\ncccc\ncc\n \nd\n\n" + new string('e', 30) + "\n\nf\n", maxLength: 12).ShouldBe([
            new TextRow(At("p.txt", 1), "aaaa\n\nbbbb"), new TextRow(At("p.txt", 6), "cccc\ncc\n\nd"),
            new TextRow(At("p.txt", 11), new string('e', 30)), new TextRow(At("p.txt", 13), "f"),
        ]);

    [Fact]
    public void No_word_of_a_text_file_is_lost() =>
        Gen.Select(Pieces.Array[1, 40], Gen.Int[3, 20]).Sample((pieces, maxLength) =>
        {
            var text = "x" + string.Concat(pieces);
            var letters = string.Concat(Read("l.txt", text, maxLength: maxLength).Cast<TextRow>().Select(r => r.Text));
            Letters(letters).ShouldBe(Letters(text.Replace("<|endoftext|>", "")));
        }, threads: 1);

    public void Dispose() => _folder.Dispose();

    private static string Letters(string text) => string.Concat(text.Where(char.IsLetter));

    private RowOrigin At(string name, int line) => new(_folder.File(name), line);

    private List<RawRow> Read(string name, string text, RowFormat format = RowFormat.Auto, int maxLength = 512)
    {
        File.WriteAllText(_folder.File(name), text, new UTF8Encoding(false));
        return Rows(name, format, maxLength);
    }

    private List<RawRow> Rows(string name, RowFormat format = RowFormat.Auto, int maxLength = 512) =>
        [.. RowFile.Read(_folder.File(name), format, new LetterTokenizer(begins: true), maxLength)];

    private InvalidInputException Fails(string name, string text, RowFormat format = RowFormat.Auto) =>
        Should.Throw<InvalidInputException>(() => Read(name, text, format));
}
