using System.Text;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Errors;
using Meft.TestSupport;
using Meft.TestSupport.Fuzzing;
using Parquet;
using Parquet.Serialization;

namespace Meft.Core.Tests.Data;

/// <summary>Every kind of row file, changed in every way.</summary>
public sealed class RowFileFuzzTests : IDisposable
{
    private static readonly string[] Lines =
    [
        """
        {"text": "One é row, with a \"quote\" and 😀.", "id": 7}
        {"text": "Another\nrow."}
        """,
        """
        {"prompt": "What is 2+2?", "completion": " 4"}
        {"completion": " Paris", "prompt": "The capital of France?", "meta": {"a": [1, 2.5e3, null, true]}}
        """,
        """
        {"input_ids": [1, 2, 3, 40], "labels": [-100, -100, 3, 40]}

        {"input_ids": [5], "labels": [5]}
        """,
        """
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}
        """,
    ];

    private static readonly string[] Texts =
    [
        "A paragraph of some words.\nIts second line.\n\nAnother one.\r\n\r\nA third, é.\n",
        "First text.<|endoftext|>Second\n\ntext.<|endoftext|>\nThird.",
    ];

    private static readonly string[] Tables =
    [
        "prompt,completion\n\"What, and \"\"why\"\"?\",\" 4\nlines\"\nb, é\n",
        "text,n\r\na,1\r\nb,2\r\n",
        "input_ids,labels\n\"[1, 2]\",\"[-100, 2]\"\n",
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The kinds of file by their endings: all that are read, so that one without valid files here fails.</summary>
    public static TheoryData<string> Endings => [.. RowFile.Endings];

    private static byte[][] ValidFiles(string ending) => ending switch
    {
        ".jsonl" => Bytes(Lines),
        ".json" => Bytes(Lines.Select(lines => $"[{string.Join(",\n", lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))}]")),
        ".csv" => Bytes(Tables),
        ".parquet" =>
        [
            Parquet([new Pair { prompt = "a", completion = " é" }, new Pair { prompt = "b" }]), Parquet([new Ids { input_ids = [1, 2, 3], labels = [-100, 2, 3] }]),
            .. Enum.GetValues<CompressionMethod>().Where(method => method != CompressionMethod.Lzo).Select(method => // which the library does not write
                Parquet(Enumerable.Range(0, 40).Select(i => new Pair { prompt = $"{i % 3}", completion = i % 4 == 0 ? null : "again" }).ToList(), method, groupSize: 30)),
            Parquet([new Chat { messages = [new Message { role = "user", content = "a" }, new Message { role = "assistant", content = "b" }] }], CompressionMethod.None),
        ],
        ".txt" => Bytes(Texts),
        _ => throw new ArgumentOutOfRangeException(nameof(ending), ending, "no valid files of this kind here"),
    };

    [Theory]
    [MemberData(nameof(Endings))]
    public void A_changed_file_is_read_or_refused(string ending)
    {
        var path = _folder.File("rows" + ending);
        ReaderFuzz.Run(path, ValidFiles(ending), () => ReadAll(path), e => e is InvalidInputException, path, cases: 300);
    }

    private static void ReadAll(string path)
    {
        foreach (var row in RowFile.Read(path, RowFormat.Auto, new LetterTokenizer(begins: true), maxLength: 40)) _ = row.Origin.ToString();
    }

    private static byte[] Parquet<T>(IReadOnlyList<T> rows, CompressionMethod method = CompressionMethod.Snappy, int? groupSize = null) where T : class, new()
    {
        using var stream = new MemoryStream();
        var options = new ParquetOptions { CompressionMethod = method, RowGroupSize = groupSize, DictionaryEncodingSampleSize = 10 };
        ParquetSerializer.SerializeAsync(rows, stream, options).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    private static byte[][] Bytes(IEnumerable<string> texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

#pragma warning disable IDE1006 // Properties are columns, whose names are data.
    private sealed class Pair
    {
        public string? prompt { get; set; }

        public string? completion { get; set; }
    }

    private sealed class Ids
    {
        public List<int>? input_ids { get; set; }

        public List<int>? labels { get; set; }
    }

    private sealed class Message
    {
        public string? role { get; set; }

        public string? content { get; set; }
    }

    private sealed class Chat
    {
        public List<Message>? messages { get; set; }
    }
#pragma warning restore IDE1006
}
