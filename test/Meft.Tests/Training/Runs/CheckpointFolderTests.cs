using System.Text.Json;
using CsCheck;
using Meft.Core.Configuration;
using Meft.TestSupport;
using Shouldly;
using static Meft.Tests.Training.Runs.CheckpointSamples;

namespace Meft.Tests.Training.Runs;

public sealed class CheckpointFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Between_full_ones_only_the_rows_that_changed_since_are_written()
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder, keep: 5);
        checkpoints.Save(1, method);
        Touch(method, 1, 3, 5, 60);
        checkpoints.Save(2, method);
        Touch(method, 2, 5, 7);
        checkpoints.Save(3, method);
        (IsFull(checkpoints, _folder, 1), IsFull(checkpoints, _folder, 2), IsFull(checkpoints, _folder, 3)).ShouldBe((true, false, false));
        StateBytes(2).ShouldBeLessThan(StateBytes(1) / 2);
        Loaded(checkpoints, 3).ShouldBe(TinyTask.Bits(method));
        using var earlier = TinyTask.NewMethod();
        checkpoints.Load(2, earlier);
        Touch(earlier, 2, 5, 7);
        TinyTask.Bits(earlier).ShouldBe(TinyTask.Bits(method));
    }

    [Fact]
    public void A_full_one_is_written_where_more_than_half_has_changed_and_after_ten_increments()
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder, keep: 20);
        checkpoints.Save(1, method);
        Touch(method, 1, [.. Enumerable.Range(0, 40)]);
        checkpoints.Save(2, method);
        IsFull(checkpoints, _folder, 2).ShouldBeTrue();
        for (var step = 3; step <= 13; step++)
        {
            Touch(method, 1, step);
            checkpoints.Save(step, method);
        }
        checkpoints.Steps.Where(s => IsFull(checkpoints, _folder, s)).ShouldBe([1, 2, 13]);
    }

    [Fact]
    public void Off_and_methods_that_change_whole_write_full_ones_only()
    {
        using var method = TinyTask.NewMethod();
        var off = NewFolder(_folder, keep: 5, IncrementalCheckpoints.Off);
        using var lora = TinyTask.NewLora();
        using var other = new TemporaryFolder();
        var whole = NewFolder(other, keep: 5);
        for (var step = 1; step <= 3; step++)
        {
            off.Save(step, method);
            whole.Save(step, lora);
            IsFull(off, _folder, step).ShouldBeTrue();
            IsFull(whole, other, step).ShouldBeTrue();
        }
    }

    [Fact]
    public void Every_row_has_changed_where_the_optimizer_moves_all()
    {
        using var tiny = new TinyTask();
        using var method = TinyTask.NewMethod(OptimizerRows.All);
        new Meft.Training.Trainer(tiny.Create(method, steps: 1)).Run(cancellation: TestContext.Current.CancellationToken);
        method.Sparse.Stores.ShouldAllBe(s => s.Value.Changed.Count == TinyTask.Spec.Rank);
    }

    [Fact]
    public void After_a_load_changes_count_from_the_full_one_that_was_loaded()
    {
        var checkpoints = NewFolder(_folder, keep: 5);
        using (var method = TinyTask.NewMethod())
        {
            checkpoints.Save(1, method);
            Touch(method, 1, 3);
            checkpoints.Save(2, method);
        }
        var again = NewFolder(_folder, keep: 5);
        using var resumed = TinyTask.NewMethod();
        again.LoadNewest(resumed, _ => { }).ShouldBe(2);
        Touch(resumed, 1, 4);
        again.Save(3, resumed);
        IsFull(again, _folder, 3).ShouldBeFalse();
        Loaded(again, 3).ShouldBe(TinyTask.Bits(resumed));
    }

    [Fact]
    public void A_kept_increment_keeps_its_full_one_and_the_best_stays()
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder, keep: 1);
        checkpoints.Save(1, method, Measured(1, 3));
        Touch(method, 1, 3);
        checkpoints.Save(2, method, Measured(2, 2));
        var best = TinyTask.Bits(method);
        Touch(method, 1, [.. Enumerable.Range(0, 40)]);
        checkpoints.Save(3, method, Measured(2, 2).Measured(3, 2.5));
        Touch(method, 1, 9);
        checkpoints.Save(4, method, Measured(2, 2).Measured(4, 2.25));
        checkpoints.Steps.ShouldBe([1, 2, 3, 4]); // 4 needs 3, the best needs 1
        checkpoints.BestStep.ShouldBe(2);
        Loaded(checkpoints, 2).ShouldBe(best);
        Loaded(checkpoints, 4).ShouldBe(TinyTask.Bits(method));
        Touch(method, 1, [.. Enumerable.Range(0, 40)]);
        checkpoints.Save(5, method, Measured(5, 1));
        checkpoints.Steps.ShouldBe([5]);
    }

    [Fact]
    public void One_saved_only_as_the_best_takes_the_place_of_no_other()
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder, keep: 2, IncrementalCheckpoints.Off);
        for (var step = 1; step <= 5; step++)
        {
            using var content = checkpoints.Prepare(step, method, step == 4 ? Measured(4, 1) : null, onlyAsBest: step == 4);
            checkpoints.Write(content);
        }
        checkpoints.Steps.ShouldBe([3, 4, 5]);
    }

    [Fact]
    public void The_small_state_comes_back_with_what_others_keep_in_it()
    {
        using var method = TinyTask.NewMethod();
        var checkpoints = NewFolder(_folder);
        var progress = Measured(7, 1.25) with
        {
            Seconds = 12.5,
            Tokens = 1L << 40,
            Others = new Dictionary<string, JsonElement> { ["position"] = JsonSerializer.SerializeToElement(new { epoch = 3 }) },
        };
        checkpoints.Save(7, method, progress);
        var back = checkpoints.ProgressAt(7);
        (back.Seconds, back.Tokens, back.BestValidationLoss, back.BestValidationStep).ShouldBe((12.5, 1L << 40, 1.25, 7));
        back.Others!["position"].GetProperty("epoch").GetInt32().ShouldBe(3);
    }

    /// <summary>Random lives of a run: rows change, checkpoints are saved, the process dies at any operation of the disk and another one goes on.</summary>
    [Fact]
    public void Whatever_happens_every_complete_checkpoint_is_the_state_of_its_step()
    {
        var action = Gen.Frequency(
            (4, Gen.Int[0, 63].Array[1, 6].Select(rows => (Kind: 'T', Rows: rows, Crash: 0))),
            (1, Gen.Const((Kind: 'T', Rows: Enumerable.Range(0, 50).ToArray(), Crash: 0))),
            (4, Gen.Const((Kind: 'S', Rows: Array.Empty<int>(), Crash: 0))),
            (2, Gen.Int[0, 14].Select(at => (Kind: 'C', Rows: Array.Empty<int>(), Crash: at))),
            (1, Gen.Const((Kind: 'L', Rows: Array.Empty<int>(), Crash: 0))));
        Gen.Select(action.Array[1, 24], Gen.Int[1, 3]).Sample((actions, keep) =>
        {
            using var root = new TemporaryFolder();
            var saved = new Dictionary<int, float[]>();
            var (method, checkpoints, step) = (TinyTask.NewMethod(), NewFolder(root, keep), 0);
            try
            {
                foreach (var (kind, rows, crash) in actions)
                {
                    if (kind == 'T')
                    {
                        step++;
                        Touch(method, step, rows);
                    }
                    else if (kind == 'S' && step > 0 && !checkpoints.Steps.Contains(step))
                    {
                        saved[step] = TinyTask.Bits(method);
                        checkpoints.Save(step, method, step % 3 == 0 ? Measured(step, 100 - step) : null);
                    }
                    else if (kind is 'C' or 'L')
                    {
                        if (kind == 'C' && step > 0 && !checkpoints.Steps.Contains(step))
                        {
                            var disk = new TestDisk();
                            disk.CrashAt(crash);
                            saved[step] = TinyTask.Bits(method);
                            Crash(() => NewFolder(root, keep, disk: disk).Save(step, method));
                        }
                        method.Dispose();
                        (method, checkpoints) = (TinyTask.NewMethod(), NewFolder(root, keep));
                        step = checkpoints.LoadNewest(method, _ => { });
                        if (step > 0) TinyTask.Bits(method).ShouldBe(saved[step]);
                    }
                }
                foreach (var complete in checkpoints.Steps) Loaded(checkpoints, complete).ShouldBe(saved[complete]);
                checkpoints.Steps.Count.ShouldBeLessThanOrEqualTo(2 * keep + 2);
            }
            finally
            {
                method.Dispose();
            }
        }, iter: 60, threads: 1);

        static void Crash(Action save)
        {
            try
            {
                save();
            }
            catch (CrashException)
            {
                // The process ended; or it had ended its work before the operation came.
            }
        }
    }

    private long StateBytes(int step) => new FileInfo(_folder.File($"checkpoints/step-{step:D6}/state.safetensors")).Length;
}
