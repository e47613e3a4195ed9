using Meft.Core.Data;
using Meft.Core.Errors;
using Parquet;
using Parquet.Serialization;
using Shouldly;

namespace Meft.Core.Tests.Data.Files;

public sealed class ParquetFileTests : DataFiles
{
    [Fact]
    public async Task Row_groups_follow_one_another_and_rows_have_numbers()
    {
        var path = await WriteRows("t.parquet", [new Pair { prompt = "a", completion = " é" }], [new Pair { prompt = "b", completion = "c" }, new Pair { prompt = "d" }]);
        Read(path).ShouldBe([
            new PromptCompletionRow(new RowOrigin(path, 0, 1), "a", " é"), new PromptCompletionRow(new RowOrigin(path, 0, 2), "b", "c"),
            new PromptRow(new RowOrigin(path, 0, 3), "d"),
        ]);
        new RowOrigin(path, 0, 3).ToString().ShouldBe($"{path} (row 3)");
    }

    [Fact]
    public async Task Lists_of_numbers_are_ids_and_labels()
    {
        var path = await WriteRows("i.parquet", [new Ids { input_ids = [1, 2, 3], labels = [-100, 2, 3] }, new Ids { input_ids = [4, 5] }]);
        var rows = Read(path).Cast<TokenIdsRow>().ToList();
        rows[0].InputIds.ShouldBe([1, 2, 3]);
        rows[0].Labels.ShouldBe([-100, 2, 3]);
        rows[1].InputIds.ShouldBe([4, 5]);
    }

    [Fact]
    public async Task Messages_are_structs_or_json_text()
    {
        Message[] messages = [new() { role = "user", content = "a" }, new() { role = "assistant", content = "b" }];
        foreach (var path in new[]
        {
            await WriteRows("m.parquet", [new Chat { messages = [.. messages] }]),
            await WriteRows("s.parquet", [new ChatText { messages = "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]" }]),
        })
        {
            var row = Read(path).ShouldHaveSingleItem().ShouldBeOfType<MessagesRow>();
            row.Messages.GetArrayLength().ShouldBe(2);
            row.Messages[1].GetProperty("content").GetString().ShouldBe("b");
        }
    }

    [Fact]
    public async Task A_row_of_wrong_types_is_told_by_its_number()
    {
        var rows = Read(await WriteRows("w.parquet", [new Wrong { text = 1 }, new Wrong { text = 2 }]));
        (ErrorOf(rows[1]).Problem, ErrorOf(rows[1]).Location).ShouldBe(("\"text\" is a number", $"{Folder.File("w.parquet")} (row 2)"));
        ErrorOf(Read(await WriteRows("j.parquet", [new ChatText { messages = "[{'role': 'user'}]" }])).ShouldHaveSingleItem()).Problem.ShouldContain("no valid JSON");
        ErrorOf(Read(await WriteRows("n.parquet", [new Other { words = "a" }])).ShouldHaveSingleItem()).Problem.ShouldContain("\"words\"");
    }

    [Theory]
    [InlineData(CompressionMethod.None)]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Gzip)]
    [InlineData(CompressionMethod.Brotli)]
    [InlineData(CompressionMethod.LZ4)]
    [InlineData(CompressionMethod.Zstd)]
    [InlineData(CompressionMethod.Lz4Raw)]
    public async Task Every_compression_and_encoding_is_read(CompressionMethod method)
    {
        const int groupSize = 700, rowsOfFile = 2000;
        var ids = Enumerable.Range(0, rowsOfFile).Select(i => new Ids { input_ids = [1, i, i * i], labels = i % 3 == 0 ? null : [-100, i, i] }).ToList();
        var options = new ParquetOptions { CompressionMethod = method, RowGroupSize = groupSize };
        foreach (var column in new[] { "input_ids/list/element", "labels/list/element" }) options.ColumnEncodingHints[column] = EncodingHint.DeltaBinaryPacked;
        var rows = Read(await WriteRows("ids.parquet", options, ids)).Cast<TokenIdsRow>().ToList();
        rows.Select(row => row.InputIds[2]).ShouldBe(Enumerable.Range(0, rowsOfFile).Select(i => i * i));
        rows.Count(row => row.Labels is null).ShouldBe(667);

        var pairs = Enumerable.Range(0, rowsOfFile).Select(i => new Pair { prompt = $"{i % 5}", completion = i % 4 == 0 ? null : "the same" }).ToList();
        Read(await WriteRows("pairs.parquet", new ParquetOptions { CompressionMethod = method, RowGroupSize = groupSize }, pairs)).OfType<PromptRow>().Count().ShouldBe(500);

        // One text of many equal letters goes far beyond the ratio that is taken on trust.
        var text = new string('a', 3_000_000);
        Read(await WriteRows("long.parquet", new ParquetOptions { CompressionMethod = method }, [new Pair { prompt = text, completion = "b" }]))
            .ShouldHaveSingleItem().ShouldBeOfType<PromptCompletionRow>().Prompt.Length.ShouldBe(text.Length);
    }

    [Fact]
    public async Task A_file_that_is_cut_short_or_no_parquet_is_refused()
    {
        var bytes = File.ReadAllBytes(await WriteRows("t.parquet", [new Pair { prompt = "a", completion = "b" }]));
        for (var length = 1; length < bytes.Length; length += 7)
            Should.Throw<InvalidInputException>(() => Read(Write("cut.parquet", bytes[..length]))).Problem.ShouldContain("cannot be read");
        Should.Throw<InvalidInputException>(() => Read(Write("text.parquet", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n"))).Location.ShouldBe(Folder.File("text.parquet"));
        Should.Throw<InvalidInputException>(() => Read(Write("empty.parquet", ""))).Problem.ShouldContain("no rows");
        Directory.CreateDirectory(Folder.File("d.parquet"));
        Should.Throw<InvalidInputException>(() => Read(Folder.File("d.parquet"))).Problem.ShouldContain("folder");
    }

    [Fact]
    public async Task A_file_with_a_changed_byte_gives_rows_or_an_error()
    {
        var bytes = File.ReadAllBytes(await WriteRows("t.parquet", [new Pair { prompt = "a", completion = "b" }, new Pair { prompt = "c", completion = "d" }]));
        for (var i = 0; i < bytes.Length; i += 3)
        {
            byte[] changed = [.. bytes];
            changed[i] ^= 0x11;
            try
            {
                Read(Write("changed.parquet", changed));
            }
            catch (InvalidInputException e)
            {
                e.Location.ShouldBe(Folder.File("changed.parquet"));
            }
        }
    }

    private async Task<string> WriteRows<T>(string name, ParquetOptions options, IReadOnlyList<T> rows) where T : class, new()
    {
        var path = Folder.File(name);
        await using var stream = new FileStream(path, FileMode.Create, FileAccess.ReadWrite);
        await ParquetSerializer.SerializeAsync(rows, stream, options, cancellationToken: TestContext.Current.CancellationToken);
        return path;
    }

    private async Task<string> WriteRows<T>(string name, params IReadOnlyList<T>[] groups) where T : class, new()
    {
        var path = Folder.File(name);
        await using var stream = new FileStream(path, FileMode.Create, FileAccess.ReadWrite);
        for (var i = 0; i < groups.Length; i++)
        {
            await ParquetSerializer.SerializeAsync(groups[i], stream, new ParquetOptions { Append = i > 0 }, cancellationToken: TestContext.Current.CancellationToken);
        }
        return path;
    }

    // The library takes columns' names from properties.
#pragma warning disable IDE1006
    private sealed class Pair
    {
        public string? prompt { get; set; }

        public string? completion { get; set; }
    }

    private sealed class Ids
    {
        public List<int>? input_ids { get; set; }

        public List<long>? labels { get; set; }
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

    private sealed class ChatText
    {
        public string? messages { get; set; }
    }

    private sealed class Wrong
    {
        public int text { get; set; }
    }

    private sealed class Other
    {
        public string? words { get; set; }
    }
#pragma warning restore IDE1006
}
