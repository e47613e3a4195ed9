using System.Text;
using Meft.Core.Errors;
using Meft.Core.Evaluation.Records;
using Meft.Core.Evaluation.Tasks;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;

namespace Meft.Core.Tests.Evaluation;

/// <summary>Tasks and their records, changed in every way.</summary>
public sealed class EvalFuzzTests : IDisposable
{
    private const string Squad =
        """
        {"version": "1", "data": [
          {"title": "T", "paragraphs": [
            {"qas": [{"id": "p", "question": "one é"}, {"id": 2, "question": "two\n", "title": null}], "context": "C"}]},
          {"paragraphs": [{"context": "D", "qas": [{"id": "r", "answers": [{"text": "x", "at": -1.5e3}]}]}], "title": "U"}]}
        """;

    private const string Lines =
        """
        {"turns": ["a", {"b": [true, 1]}]}

        {"turns": ["c 😀"], "id": 7}
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_changed_task_is_read_or_refused()
    {
        var path = _folder.File("task.yaml");
        byte[][] valid = [.. ShippedTasks.Names.Select(name => Encoding.UTF8.GetBytes(ShippedTasks.Find(name)!))];
        ReaderFuzz.Run(path, valid, () => EvalTask.Load(path), e => e is InvalidInputException, path, cases: 200, bytesPerByte: 1000);
    }

    [Theory]
    [InlineData("rows.json", "data[].paragraphs[].qas[]", Squad, true)]
    [InlineData("rows.jsonl", "turns[]", Lines, true)]
    [InlineData("rows.txt", "", "One.\n<|endoftext|>\n\nTwo é.\r\n<|endoftext|>\n", true)]
    public void Changed_records_are_read_or_refused(string name, string rows, string valid, bool refuses)
    {
        var path = _folder.File(name);
        ReaderFuzz.Run(path, [Encoding.UTF8.GetBytes(valid)], () => Read(path, rows), e => e is InvalidInputException, path, cases: 200, bytesPerByte: 200, refuses: refuses);
    }

    private static void Read(string path, string rows)
    {
        foreach (var record in RecordFile.Read(path, RecordPath.Parse(rows)!)) _ = record.Origin.ToString();
    }
}
