using CsCheck;
using Meft.Core.Errors;
using Meft.TestSupport;
using Meft.Training.Runs;
using Shouldly;
using static Meft.Tests.Training.Runs.CheckpointSamples;

namespace Meft.Tests.Training.Runs;

public sealed class CheckpointErrorTests : IDisposable
{
    private const string State = "checkpoints/step-000002/state.safetensors", Manifest = "checkpoints/step-000002/manifest.json";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_full_disk_is_said_with_what_was_needed_and_nothing_is_left_half_written()
    {
        var disk = new TestDisk();
        var (method, checkpoints) = OneSaved(disk);
        using var _ = method;
        disk.FullAfter = 10_000;
        var error = Should.Throw<RunFailedException>(() => checkpoints.Save(2, method));
        error.Message.ShouldContain("step 2");
        error.Message.ShouldContain("the disk is full");
        error.Message.ShouldContain("earlier checkpoints are as they were", Case.Insensitive);
        error.ExitCode.ShouldBe(1);
        checkpoints.Steps.ShouldBe([1]);
        Directory.Exists(_folder.File("checkpoints/step-000002")).ShouldBeFalse();
        // The next one is no increment on a full one that was never written.
        disk.FullAfter = long.MaxValue;
        checkpoints.Save(3, method);
        Loaded(checkpoints, 3).ShouldBe(TinyTask.Bits(method));
    }

    [Fact]
    public void Too_little_room_is_found_before_the_first_byte()
    {
        var disk = new TestDisk();
        var (method, checkpoints) = OneSaved(disk);
        using var _ = method;
        disk.Free = 4321;
        disk.Writing = path => throw new InvalidOperationException(path);
        var error = Should.Throw<RunFailedException>(() => checkpoints.Save(2, method));
        error.Message.ShouldContain("4321 are free");
        error.Message.ShouldMatch(@"needs \d{5,} bytes");
        checkpoints.Steps.ShouldBe([1]);
    }

    [Fact]
    public void A_folder_that_may_not_be_written_is_said()
    {
        var disk = new TestDisk();
        var (method, checkpoints) = OneSaved(disk);
        using var _ = method;
        disk.ReadOnly = true;
        var error = Should.Throw<RunFailedException>(() => checkpoints.Save(2, method));
        error.Message.ShouldContain("denied");
        error.Message.ShouldContain("step-000002");
        checkpoints.Steps.ShouldBe([1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_flipped_bit_anywhere_is_an_error_and_the_older_one_is_taken(bool incremental)
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder);
        checkpoints.Save(1, method, Measured(1, 2));
        var first = TinyTask.Bits(method);
        Touch(method, 1, incremental ? [3, 4] : [.. Enumerable.Range(0, 60)]);
        checkpoints.Save(2, method, Measured(1, 2).Measured(2, 3));
        IsFull(checkpoints, _folder, 2).ShouldBe(!incremental);
        foreach (var name in new[] { State, Manifest })
        {
            var path = _folder.File(name);
            var bytes = File.ReadAllBytes(path);
            Gen.Select(Gen.Int[0, bytes.Length - 1], Gen.Int[0, 7]).Sample((place, bit) =>
            {
                var damaged = (byte[])bytes.Clone();
                damaged[place] ^= (byte)(1 << bit);
                File.WriteAllBytes(path, damaged);
                Should.Throw<InvalidInputException>(() => Loaded(checkpoints, 2)).Message.ShouldContain(Path.GetFileName(path));
                using var other = TinyTask.NewMethod();
                var remarks = new List<string>();
                checkpoints.LoadNewest(other, remarks.Add).ShouldBe(1);
                TinyTask.Bits(other).ShouldBe(first);
                remarks.ShouldHaveSingleItem().ShouldContain("step 2 is passed over");
            }, iter: 60, threads: 1);
            File.WriteAllBytes(path, bytes);
        }
        Loaded(checkpoints, 2).ShouldBe(TinyTask.Bits(method));
    }

    [Fact]
    public void A_flipped_bit_of_a_number_names_its_tensor()
    {
        TwoSaved(full: true);
        var bytes = File.ReadAllBytes(_folder.File(State));
        bytes[^1] ^= 1; // the last of the tensors by name
        File.WriteAllBytes(_folder.File(State), bytes);
        Should.Throw<InvalidInputException>(() => Loaded(NewFolder(_folder), 2)).Message.ShouldContain("tensor 'layers.2.values'");
    }

    [Fact]
    public void A_damaged_full_one_costs_those_that_need_it_too()
    {
        TwoSaved(full: false);
        var full = _folder.File("checkpoints/step-000001/state.safetensors");
        using (var file = File.OpenWrite(full)) file.SetLength(file.Length - 4);
        var error = Should.Throw<InvalidInputException>(() => Loaded(NewFolder(_folder), 2));
        error.Message.ShouldContain(full);
        error.Message.ShouldContain("bytes");
        Directory.Delete(_folder.File("checkpoints/step-000001"), recursive: true);
        Should.Throw<InvalidInputException>(() => Loaded(NewFolder(_folder), 2)).Message.ShouldContain("step-000001");
    }

    [Fact]
    public void An_increment_is_not_laid_over_another_full_one()
    {
        TwoSaved(full: false);
        using var other = TinyTask.NewMethod();
        using var elsewhere = new TemporaryFolder();
        NewFolder(elsewhere).Save(1, other, Measured(1, 5));
        foreach (var name in new[] { "manifest.json", "state.safetensors" })
            File.Copy(elsewhere.File($"checkpoints/step-000001/{name}"), _folder.File($"checkpoints/step-000001/{name}"), overwrite: true);
        Should.Throw<InvalidInputException>(() => Loaded(NewFolder(_folder), 2)).Message.ShouldContain("replaced");
    }

    [Fact]
    public void Another_base_model_method_rank_or_layers_are_named_both()
    {
        TwoSaved(full: true, Owner);
        void Refused(CheckpointOwner now, params string[] named)
        {
            var checkpoints = NewFolder(_folder);
            checkpoints.Owner = now;
            var error = Should.Throw<InvalidInputException>(() => Loaded(checkpoints, 2));
            foreach (var text in named) error.Message.ShouldContain(text);
        }
        Refused(Owner with { BaseSha256 = "bb22", BaseModel = "models/other" }, "aa11", "bb22", "models/tiny", "models/other");
        Refused(Owner with { Method = "parallel" }, "method is meft", "method is parallel");
        Refused(Owner with { Rank = 128 }, "64", "128");
        Refused(Owner with { Layers = [0, 1] }, "1, 2", "0, 1");
        var same = NewFolder(_folder);
        same.Owner = Owner with { BaseModel = "moved/elsewhere" };
        Loaded(same, 2).Length.ShouldBePositive();
    }

    [Fact]
    public void A_method_of_other_sizes_is_refused_without_an_owner_too()
    {
        TwoSaved(full: true);
        using var lora = TinyTask.NewLora();
        Should.Throw<InvalidInputException>(() => NewFolder(_folder).Load(2, lora)).Message.ShouldContain("layers.1.gate");
        using var narrow = new Meft.Training.SparseAdapterMethod(
            new Meft.Adapters.SparseAdapter(TinyTask.Spec with { Rank = 32 }), Meft.Core.Configuration.OptimizerRows.Touched, TinyTask.Identity);
        var error = Should.Throw<InvalidInputException>(() => NewFolder(_folder).Load(2, narrow));
        error.Message.ShouldContain("[64, 16]");
        error.Message.ShouldContain("[32, 16]");
    }

    [Theory]
    [InlineData("""{"format_version": 3, "everything": "else"}""", "format version 3", "newer version of meft")]
    [InlineData("not json", "no JSON", "manifest.json")]
    [InlineData("null", "format_version", "manifest.json")]
    [InlineData("""{"format_version": 2}""", "lacks a field", "manifest.json")]
    [InlineData("""{"format_version": 1, "step": 2}""", "state_bytes", "manifest.json")]
    public void A_manifest_that_is_none_or_newer_is_refused(string text, params string[] named)
    {
        TwoSaved(full: true);
        File.WriteAllText(_folder.File(Manifest), text);
        var error = Should.Throw<InvalidInputException>(() => Loaded(NewFolder(_folder), 2));
        foreach (var part in named) error.Message.ShouldContain(part);
        error.Message.ShouldContain("step-000002");
    }

    [Fact]
    public void The_first_version_is_still_read()
    {
        var bits = TwoSaved(full: true);
        var bytes = new FileInfo(_folder.File(State)).Length;
        File.WriteAllText(_folder.File(Manifest), $$"""{"format_version": 1, "step": 2, "state_bytes": {{bytes}}}""");
        var checkpoints = NewFolder(_folder);
        using var method = TinyTask.NewMethod();
        checkpoints.LoadNewest(method, _ => { }).ShouldBe(2);
        TinyTask.Bits(method).ShouldBe(bits);
        // It has no checksum that an increment could name: the next one is full.
        Touch(method, 1, 3);
        checkpoints.Save(3, method);
        IsFull(checkpoints, _folder, 3).ShouldBeTrue();
    }

    [Fact]
    public void What_a_killed_process_left_is_named_never_loaded_and_cleared()
    {
        TwoSaved(full: true);
        _folder.Write("checkpoints/step-000009/.meft-half.tmp", "half");
        _folder.Write("checkpoints/step-000003/.meft-half.tmp", "half");
        var checkpoints = NewFolder(_folder);
        using var method = TinyTask.NewMethod();
        var remarks = new List<string>();
        checkpoints.LoadNewest(method, remarks.Add).ShouldBe(2);
        remarks.ShouldContain(r => r.Contains("step-000009"));
        checkpoints.Save(3, method);
        Directory.EnumerateFiles(_folder.Path, "*.tmp", SearchOption.AllDirectories).ShouldBeEmpty();
        checkpoints.Steps.ShouldNotContain(9);
        Directory.Exists(_folder.File("checkpoints/step-000009")).ShouldBeFalse();
    }

    private (Meft.Training.SparseAdapterMethod Method, CheckpointFolder Checkpoints) OneSaved(TestDisk disk)
    {
        var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder, disk: disk);
        checkpoints.Save(1, method);
        Touch(method, 1, [.. Enumerable.Range(0, 60)]);
        return (method, checkpoints);
    }

    private float[] TwoSaved(bool full, CheckpointOwner? owner = null)
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder);
        checkpoints.Owner = owner;
        checkpoints.Save(1, method);
        Touch(method, 1, full ? [.. Enumerable.Range(0, 60)] : [3]);
        checkpoints.Save(2, method);
        IsFull(checkpoints, _folder, 2).ShouldBe(full);
        return TinyTask.Bits(method);
    }
}
