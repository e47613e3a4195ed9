using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Data.Store;
using Meft.Core.Errors;
using Meft.Core.Planning;
using Meft.Core.Tokenization;
using Meft.TestSupport;
using Shouldly;

namespace Meft.Core.Tests.Data.Store;

/// <summary>Rows that are more than memory shall hold: the limit is a few bytes here.</summary>
public sealed class RowCacheTests : IDisposable
{
    private static readonly ModelLimits Limits = new(LetterTokenizer.Space + 1, 30, LetterTokenizer.End);
    private readonly TemporaryFolder _folder = new();
    private int _encoded;

    public RowCacheTests()
    {
        _folder.Write("model/tokenizer.json", "{}");
        _folder.Write("a.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i => $"{{\"prompt\":\"{new string('q', 1 + i % 7)}\",\"completion\":\"{new string('a', 1 + i % 5)}\"}}\n")));
        _folder.Write("b.jsonl", "\n{\"input_ids\":[5,6,7,8],\"labels\":[-100,9,7,-100]}\n{\"input_ids\":[1,2,3]}\n");
    }

    private string[] Stored => Directory.Exists(_folder.File("cache")) ? Directory.GetFiles(_folder.File("cache")) : [];

    [Fact]
    public void Rows_read_from_disk_are_those_of_memory()
    {
        var (stored, held) = (Load(), Load(cache: null));
        stored.Rows.ShouldBeOfType<StoredRows>();
        Text(stored).ShouldBe(Text(held));
        (stored.Audit.ToJson(), stored.MaxLength).ShouldBe((held.Audit.ToJson(), 30));
        var (one, other) = (TokenRows.Of(stored.Rows), TokenRows.Of(held.Rows));
        one.Files.ShouldBe(other.Files);
        one.Files.ShouldBe([new(_folder.File("a.jsonl"), 0, 40), new(_folder.File("b.jsonl"), 40, 2)]);
        for (var row = 0; row < one.Count; row++)
            (one.LengthOf(row), one.TrainedTokensOf(row)).ShouldBe((other.LengthOf(row), other.TrainedTokensOf(row)));
        stored.Rows.ByLength().Select(r => r.Origin).ShouldBe(held.Rows.OrderBy(r => r.Length).Select(r => r.Origin));
    }

    [Fact]
    public void The_second_time_nothing_is_tokenised_and_the_audit_is_the_same()
    {
        var first = Load(overLength: OverLength.Truncate, maxLength: 9);
        var encoded = _encoded;
        encoded.ShouldBeGreaterThan(0);
        var second = Load(overLength: OverLength.Truncate, maxLength: 9);
        _encoded.ShouldBe(encoded);
        Text(second).ShouldBe(Text(first));
        second.Audit.ToJson().ShouldBe(first.Audit.ToJson());
        second.Audit.Longest.ShouldNotBeEmpty();
        second.TruncatedRows.ShouldBeGreaterThan(0);
        Stored.ShouldHaveSingleItem();
    }

    [Fact]
    public void Little_data_stays_in_memory_and_leaves_no_file()
    {
        Load(new RowCache(_folder.File("cache"), _folder.File("model"))).Rows.ShouldNotBeOfType<StoredRows>();
        Stored.ShouldBeEmpty();
    }

    [Fact]
    public void Whatever_shapes_rows_makes_them_anew()
    {
        Load();
        var steps = new List<(string What, Action Change)>
        {
            ("a data file", () => File.AppendAllText(_folder.File("a.jsonl"), "{\"prompt\":\"q\",\"completion\":\"a\"}\n")),
            ("the tokenizer", () => _folder.Write("model/tokenizer.json", "{ }")),
            ("the chat template", () => _folder.Write("model/chat_template.jinja", "x")),
        };
        foreach (var (what, change) in steps)
        {
            var before = _encoded;
            change();
            Load();
            _encoded.ShouldBeGreaterThan(before, what);
        }
        foreach (var load in new Action[] { () => Load(maxLength: 20), () => Load(trainOnPrompt: true), () => Load(overLength: OverLength.Drop), () => Load(limits: Limits with { EndToken = null }) })
        {
            var before = _encoded;
            load();
            _encoded.ShouldBeGreaterThan(before);
        }
        var known = _encoded;
        Load();
        // How rows are batched does not shape them; nor does the path that their file has.
        Load(with: d => d with { Packing = true, Shuffle = false, TrainWeights = [1, 2] });
        File.Copy(_folder.File("a.jsonl"), _folder.File("c.jsonl"));
        var renamed = Load(files: ["c.jsonl", "b.jsonl"]);
        renamed.Rows[0].Origin.ShouldBe(new RowOrigin(_folder.File("c.jsonl"), 1));
        renamed.Audit.Shown[0].Place.ShouldBe(_folder.File("c.jsonl") + ":1");
        _encoded.ShouldBe(known);
    }

    [Fact]
    public void A_file_that_is_damaged_is_made_anew()
    {
        var expected = Text(Load());
        var file = Stored.ShouldHaveSingleItem();
        var whole = File.ReadAllBytes(file);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[1, 255], Gen.Bool).Sample((place, change, cut) =>
        {
            var bytes = whole.ToArray();
            bytes[place] ^= (byte)change;
            File.WriteAllBytes(file, cut ? bytes[..place] : bytes);
            var before = _encoded;
            Text(Load()).ShouldBe(expected);
            _encoded.ShouldBeGreaterThan(before);
            File.ReadAllBytes(file).ShouldBe(whole);
        }, iter: 40, threads: 1);
    }

    [Fact]
    public void A_file_of_a_newer_version_is_made_anew()
    {
        Load();
        var file = Stored.ShouldHaveSingleItem();
        var bytes = File.ReadAllBytes(file);
        var header = bytes[..RowFileHeader.ByteCount];
        header[8] = RowFileHeader.Version + 1;
        RowFileHeader.Read(header, bytes.Length).ShouldBeNull();
        RowFileHeader.Read(bytes, bytes.Length).ShouldNotBeNull();
        File.WriteAllBytes(file, [.. header, .. bytes[RowFileHeader.ByteCount..]]);
        Load();
        File.ReadAllBytes(file).ShouldBe(bytes);
    }

    [Fact]
    public void A_file_changed_while_it_is_used_is_an_error_and_no_wrong_row()
    {
        var rows = Load().Rows;
        var file = Stored.ShouldHaveSingleItem();
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) stream.SetLength(RowFileHeader.ByteCount + 2);
        var e = Should.Throw<RunFailedException>(() => rows[30]);
        e.Message.ShouldContain(file);
        e.NextStep.ShouldNotBeNull().ShouldContain("--resume");
    }

    [Fact]
    public void A_file_that_goes_while_it_is_used_harms_no_one()
    {
        var dataset = Load();
        foreach (var file in Stored) File.Delete(file);
        Text(dataset).ShouldBe(Text(Load(cache: null)));
    }

    [Fact]
    public void Threads_read_at_once()
    {
        var expected = Text(Load(cache: null)).Split('\n');
        var rows = Load().Rows;
        Parallel.For(0, 2000, i => Line(rows[i % rows.Count]).ShouldBe(expected[i % rows.Count]));
    }

    [Fact]
    public void Runs_that_make_the_same_file_at_once_do_not_disturb_one_another()
    {
        var expected = Text(Load(cache: null));
        Parallel.For(0, 8, _ => Text(Load()).ShouldBe(expected));
        Stored.ShouldHaveSingleItem();
    }

    [Fact]
    public void Rows_that_cannot_be_used_leave_no_file()
    {
        File.AppendAllText(_folder.File("a.jsonl"), "{\"prompt\":\"q\",\"completion\":\"\"}\n");
        Should.Throw<InvalidInputException>(() => Load()).Location.ShouldNotBeNull().ShouldContain("a.jsonl");
        Should.Throw<InvalidInputException>(() => Load(maxLength: 3));
        Stored.ShouldBeEmpty();
    }

    [Fact]
    public void Where_no_file_can_be_written_rows_stay_in_memory_if_they_fit()
    {
        _folder.Write("cache", "a file where the folder should be");
        Text(Load()).ShouldBe(Text(Load(cache: null)));
        Load().Remark.ShouldNotBeNull().ShouldContain("stay in memory");
        Load(cache: null).Remark.ShouldBeNull();
        var e = Should.Throw<RunFailedException>(() => Load(Tiny(most: 500)));
        e.Problem.ShouldContain("cannot be kept on disk");
        e.Location.ShouldBe(_folder.File("cache"));
        e.NextStep.ShouldNotBeNull().ShouldContain("MEFT_CACHE");
    }

    [Fact]
    public void A_data_file_that_changes_while_it_is_read_is_refused()
    {
        var changing = new LetterCounter(() =>
        {
            if (++_encoded == 60) File.AppendAllText(_folder.File("b.jsonl"), "{\"input_ids\":[1,2,3]}\n");
        });
        Should.Throw<InvalidInputException>(() => Load(Tiny(), tokenizer: changing)).Problem.ShouldContain("changed while it was read");
        Stored.ShouldBeEmpty();
    }

    [Fact]
    public void Files_that_were_not_used_for_long_go_and_others_stay()
    {
        string Make(string name, int days)
        {
            var file = _folder.Write("cache/" + name, "x");
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-days));
            return file;
        }
        string[] stay = [Make("new.rows", 20), Make(".meft-1.tmp", 0), Make("other", 400)], go = [Make("old.rows", 40), Make(".meft-2.tmp", 2)];
        Load();
        stay.ShouldAllBe(f => File.Exists(f));
        go.ShouldAllBe(f => !File.Exists(f));
    }

    [Fact]
    public void Steps_and_workload_are_those_of_memory()
    {
        var config = new RunConfig
        {
            Model = "m",
            Output = "o",
            Data = new DataConfig { Train = [_folder.File("a.jsonl"), _folder.File("b.jsonl")], TrainWeights = [0.5, 2], Packing = true, MaxLength = 30 },
            Batch = new BatchConfig { Size = 2 },
            Epochs = 3,
        };
        var (stored, held) = (Load(), Load(cache: null));
        Workload.Of(config, stored).ShouldBe(Workload.Of(config, held));
        string Steps(TokenDataset data) =>
            string.Join('\n', BatchSchedule.Create(config, data).Steps().SelectMany(s => s.MicroBatches.SelectMany(m => m.Select(Line))));
        Steps(stored).ShouldBe(Steps(held));
    }

    public void Dispose() => _folder.Dispose();

    private RowCache Tiny(long? most = null) =>
        new(_folder.File("cache"), _folder.File("model")) { MemoryBytes = 300, LookUpBytes = 0, MostMemoryBytes = most };

    private TokenDataset Load(int maxLength = 512, OverLength overLength = OverLength.Error, bool trainOnPrompt = false, ModelLimits? limits = null,
        string[]? files = null, Func<DataConfig, DataConfig>? with = null) =>
        Load(Tiny(), maxLength, overLength, trainOnPrompt, limits, files, with);

    private TokenDataset Load(RowCache? cache, int maxLength = 512, OverLength overLength = OverLength.Error, bool trainOnPrompt = false, ModelLimits? limits = null,
        string[]? files = null, Func<DataConfig, DataConfig>? with = null, ITokenizer? tokenizer = null)
    {
        string[] paths = [.. (files ?? ["a.jsonl", "b.jsonl"]).Select(_folder.File)];
        var data = new DataConfig { Train = [.. paths], MaxLength = maxLength, OverLength = overLength, TrainOnPrompt = trainOnPrompt };
        return TokenDataset.Load(
            paths, with?.Invoke(data) ?? data, tokenizer ?? new LetterCounter(() => Interlocked.Increment(ref _encoded)), limits ?? Limits,
            () => throw new InvalidOperationException("no row is a conversation"), cache);
    }

    private static string Text(TokenDataset dataset) => string.Join('\n', dataset.Rows.Select(Line));

    private static string Line(TokenRow row) => $"{row.Origin}: {string.Join(',', row.InputIds)} | {string.Join(',', row.Labels)}";

    /// <summary>Tells of every text that is encoded.</summary>
    private sealed class LetterCounter(Action encoding) : ITokenizer
    {
        private readonly LetterTokenizer _letters = new();

        public int VocabularySize => _letters.VocabularySize;

        public IReadOnlyList<int> BeginTokens => _letters.BeginTokens;

        public IReadOnlyList<int> EndTokens => _letters.EndTokens;

        public int[] Encode(string text, bool addSpecialTokens)
        {
            encoding();
            return _letters.Encode(text, addSpecialTokens);
        }

        public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens) => _letters.Decode(ids, skipSpecialTokens);

        public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens) => _letters.CreateStreamingDecoder(skipSpecialTokens);

        public string Piece(int id) => _letters.Piece(id);

        public bool IsSpecial(int id) => _letters.IsSpecial(id);

        public int? IdOf(string piece) => _letters.IdOf(piece);
    }
}
