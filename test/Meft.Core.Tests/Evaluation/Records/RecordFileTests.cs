using Meft.Core.Chat.Jinja.Values;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Records;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Evaluation.Records;

public sealed class RecordFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_list_of_objects_is_read_with_lines()
    {
        var records = Read("rows.json", "[\n {\"a\": 1,\n  \"b\": \"x\"},\n\n {\"a\": 2}]");
        records.Select(r => r.Origin.Line).ShouldBe([2, 5]);
        records.Select(r => Text(r, "a")).ShouldBe(["1", "2"]);
        records[0].Fields.Keys.ShouldBe(["a", "b"]);
    }

    [Fact]
    public void Nested_lists_are_flattened_and_inner_fields_hide_outer_ones()
    {
        const string squad = """
            {"version": "1", "data": [
              {"title": "T", "paragraphs": [
                {"qas": [{"id": "p", "question": "one"},
                         {"id": "q", "question": "two", "title": "own"}], "context": "C"}]},
              {"paragraphs": [{"context": "D", "qas": [
                {"id": "r"}]}], "title": "U"}]}
            """;
        var records = Read("squad.json", squad, "data[].paragraphs[].qas[]");
        records.Select(r => Text(r, "id")).ShouldBe(["p", "q", "r"]);
        records.Select(r => Text(r, "context")).ShouldBe(["C", "C", "D"]);
        records.Select(r => Text(r, "title")).ShouldBe(["T", "own", "U"]);
        records.Select(r => r.Origin.Line).ShouldBe([3, 4, 6]);
        records[0].Fields.ShouldNotContainKey("qas");
    }

    [Fact]
    public void A_document_a_line_may_hold_several_records_and_one_that_is_no_object_is_the_row()
    {
        var records = Read("rows.jsonl", "{\"turns\": [\"a\", \"b\"]}\n\n{\"turns\": [\"c\"]}", "turns[]");
        records.Select(r => Text(r, JsonRecords.WholeRecord)).ShouldBe(["a", "b", "c"]);
        records.Select(r => r.Origin.Line).ShouldBe([1, 1, 3]);
    }

    [Fact]
    public void Texts_are_split_at_the_marker()
    {
        var records = Read("texts.txt", "one\ntwo\n<|endoftext|>\n\nthree\n<|endoftext|>\n");
        records.Select(r => Text(r, "text")).ShouldBe(["one\ntwo", "three"]);
        records.Select(r => r.Origin.Line).ShouldBe([1, 5]);
    }

    [Fact]
    public void A_name_that_is_no_unicode_is_refused_with_its_line()
    {
        foreach (var json in new[] { "[\n{\"\\ud800\": 1}]", "[\n{\"a\": \"\\ud800\"}]" })
        {
            var error = Should.Throw<InvalidInputException>(() => Read("rows.json", json));
            error.Location.ShouldBe($"{_folder.File("rows.json")}:2");
            error.Problem.ShouldContain("cannot be read");
        }
    }

    [Fact]
    public void A_folder_stands_for_its_files_in_order()
    {
        foreach (var name in new[] { "b.json", "a.jsonl", "c.md" }) _folder.Write(name, "{}");
        RecordFile.FilesOf(_folder.Path).Select(Path.GetFileName).ShouldBe(["a.jsonl", "b.json"]);
    }

    [Theory]
    [InlineData("rows.json", "[{}\n, {\"a\": }]", "", "rows.json:2: no valid JSON (byte 9 of the line). Allowed: one JSON document")]
    [InlineData("rows.jsonl", "{}\n{\"a\"", "", "rows.jsonl:2: no valid JSON")]
    [InlineData("rows.json", "{\"dataa\": []}", "data[]", "the document has no \"data\" (did the task mean dataa?). Allowed: what the task's data.rows asks for, data[]")]
    [InlineData("rows.json", "{\"data\": {}}", "data[]", "data is an object. Allowed: a list")]
    [InlineData("rows.json", "{\"data\": [3]}", "data[].qas[]", "data[] is a number. Allowed: an object")]
    [InlineData("rows.jsonl", "{\"a\": \"\\ud800\"}", "", "rows.jsonl:1: the record cannot be read: a text of the input is not valid Unicode")]
    [InlineData("rows.csv", "a,b", "", "the ending '.csv' is of no kind of file that can be read. Allowed: .jsonl, .json, .txt")]
    public void What_cannot_be_read_is_refused_at_its_place(string name, string text, string path, string problem) =>
        Should.Throw<InvalidInputException>(() => Read(name, text, path)).Message.ShouldContain(problem);

    [Fact]
    public void A_missing_file_is_refused_with_the_nearest_one()
    {
        var there = _folder.Write("facts.json", "[]");
        Should.Throw<InvalidInputException>(() => RecordFile.FilesOf(_folder.File("fact.json"))).Message.ShouldContain($"Did you mean {there}?");
        Directory.CreateDirectory(_folder.File("empty"));
        Should.Throw<InvalidInputException>(() => RecordFile.FilesOf(_folder.File("empty"))).Message.ShouldContain("the folder holds no data file");
    }

    [Theory]
    [InlineData("", "the document")]
    [InlineData("[]", "[]")]
    [InlineData("a", "a")]
    [InlineData("data[].paragraphs[].qas[]", "data[].paragraphs[].qas[]")]
    [InlineData("a.b[][].c", "a.b[][].c")]
    [InlineData(".a", null)]
    [InlineData("a.", null)]
    [InlineData("a..b", null)]
    [InlineData("a[0]", null)]
    [InlineData("a[]b", null)]
    [InlineData("a[].", null)]
    [InlineData("a]", null)]
    public void A_path_is_names_and_lists(string text, string? expected)
    {
        var path = RecordPath.Parse(text);
        path?.Describe(path.Steps.Count).ShouldBe(expected);
        (path is null).ShouldBe(expected is null);
    }

    public void Dispose() => _folder.Dispose();

    private List<EvalRecord> Read(string name, string text, string path = "")
    {
        var file = _folder.Write(name, text);
        return [.. RecordFile.FilesOf(file).SelectMany(f => RecordFile.Read(f, path.Length == 0 ? RecordPath.Root : RecordPath.Parse(path)!))];
    }

    private static string Text(EvalRecord record, string field) => ValueText.Plain(record.Fields[field]);
}
