using System.Text.Json;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Schedules;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;

namespace Meft.Tests.Training;

public sealed class NonFiniteStopTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TinyTask _tiny = new();
    private readonly RunFolder _run;

    public NonFiniteStopTests() => _run = RunFolder.Open(
        new RunConfig { Model = "m", Output = _folder.File("run"), Data = new DataConfig { Train = ["rows.jsonl"] } }, ExistingRun.Refuse);

    [Fact]
    public void A_loss_leaves_the_layer_the_micro_batch_and_its_rows()
    {
        using var method = TinyTask.NewMethod();
        var values = method.Matrices.Single(m => m.Name == "layers.2.values").Rows.Weights;
        var poison = new RecordingObserver(step =>
        {
            if (step != 3) return;
            for (var row = 0; row < values.Rows; row++) values.Row(row).Fill(float.PositiveInfinity);
        });
        var task = _tiny.Create(method, new BatchConfig { Size = 2, Accumulate = 2 }, checkpointEvery: 2);
        var error = Should.Throw<NonFiniteException>(() => new Trainer(task, _run, poison).Run(cancellation: TestContext.Current.CancellationToken));

        error.Kind.ShouldBe(NonFiniteKind.Loss);
        error.Where.ShouldBe(["layer 2"]);
        error.Folder.ShouldBe(_folder.File("run/failures/step-000004"));
        error.Message.ShouldContain(error.Folder + " holds the step's rows");
        error.Message.ShouldContain("rows.jsonl:");
        error.Message.ShouldContain("lower optimizer.learning_rate");
        _run.Checkpoints.Steps.ShouldBe([2]);

        var failure = Failure(error);
        failure.GetProperty("step").GetInt32().ShouldBe(4);
        failure.GetProperty("kind").GetString().ShouldBe("loss");
        failure.GetProperty("where")[0].GetString().ShouldBe("layer 2");
        failure.GetProperty("micro_batch").GetInt32().ShouldBe(0);
        failure.GetProperty("loss").GetString().ShouldBe("NaN"); // JSON has no literal for it
        failure.GetProperty("learning_rate").GetDouble().ShouldBe(0.01);
        failure.GetProperty("previous_step").GetProperty("loss").GetDouble().ShouldBe(poison.Steps[^1].Loss);
        failure.GetProperty("previous_step").GetProperty("grad_norm").GetDouble().ShouldBe(poison.Steps[^1].GradNorm);
        failure.GetProperty("last_checkpoint").GetInt32().ShouldBe(2);
        var rows = failure.GetProperty("rows").EnumerateArray().ToList();
        rows.Select(r => r.GetProperty("micro_batch").GetInt32()).ShouldBe([0, 0, 1, 1]);
        rows.Select(r => r.GetProperty("suspect").GetBoolean()).ShouldBe([true, true, false, false]);

        var batch = task.Batches.StepAt(3).MicroBatches.SelectMany(m => m).ToList();
        rows.Select(r => r.GetProperty("origin").GetString()).ShouldBe(batch.Select(r => r.Origin.ToString()));
        var saved = Saved(error);
        saved.Select(r => r.InputIds).ShouldBe(batch.Select(r => r.InputIds));
        saved.Select(r => r.Labels).ShouldBe(batch.Select(r => r.Labels));
    }

    [Fact]
    public void A_gradient_leaves_its_matrices_and_the_row_that_brings_it_about()
    {
        using var inner = TinyTask.NewMethod();
        // The step's norm is the first that is asked for; then come its rows one by one, of which the third is the culprit.
        var method = new MethodWithFaults(inner) { Norm = asked => asked is 0 or 3 ? double.NaN : null };
        var task = _tiny.Create(method, new BatchConfig { Size = 2, Accumulate = 2 });
        var before = TinyTask.Bits(inner);
        var error = Should.Throw<NonFiniteException>(() => new Trainer(task, _run).Run(cancellation: TestContext.Current.CancellationToken));

        var culprit = task.Batches.StepAt(0).MicroBatches[1][0];
        error.Kind.ShouldBe(NonFiniteKind.Gradient);
        error.Rows.ShouldBe([culprit]);
        error.Message.ShouldContain($"the gradient is not finite in layers.1.keys, from the row {culprit.Origin}.");
        var failure = Failure(error);
        failure.GetProperty("grad_norm").GetString().ShouldBe("NaN");
        failure.GetProperty("previous_step").ValueKind.ShouldBe(JsonValueKind.Null);
        failure.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("suspect").GetBoolean()).ShouldBe([false, false, true, false]);
        TinyTask.Bits(inner).ShouldBe(before);
    }

    [Fact]
    public void A_gradient_of_which_no_row_alone_is_the_cause_leaves_all()
    {
        using var inner = TinyTask.NewMethod();
        var method = new MethodWithFaults(inner) { Norm = asked => asked == 0 ? double.PositiveInfinity : null };
        var task = _tiny.Create(method, new BatchConfig { Size = 3 });
        var error = Should.Throw<NonFiniteException>(() => new Trainer(task, _run).Run(cancellation: TestContext.Current.CancellationToken));
        error.Rows.Count.ShouldBe(3);
        error.Message.ShouldContain("together");
        Failure(error).GetProperty("grad_norm").GetString().ShouldBe("Infinity");
    }

    [Theory]
    [InlineData("meft")]
    [InlineData("lora")]
    [InlineData("full")]
    public void A_learning_rate_that_is_far_too_high_stops_the_run_with_its_evidence(string kind)
    {
        using ITrainedMethod method = kind switch
        {
            "meft" => TinyTask.NewMethod(),
            "lora" => TinyTask.NewLora(),
            _ => new FullMethod(_tiny.Decoder),
        };
        var task = _tiny.Create(method, steps: 30) with { Rates = new LearningRateSchedule(ScheduleKind.Constant, 1e20, 0, 30) };
        var error = Should.Throw<NonFiniteException>(() => new Trainer(task, _run).Run(cancellation: TestContext.Current.CancellationToken));
        Failure(error).GetProperty("learning_rate").GetDouble().ShouldBe(1e20);
        Saved(error).ShouldNotBeEmpty();
        _run.Checkpoints.Steps.ShouldBeEmpty();
    }

    [Fact]
    public void Weights_before_a_checkpoint_leave_the_rows_of_the_latest_step()
    {
        using var inner = TinyTask.NewMethod();
        using var method = new MethodWithFaults(inner) { OnUpdate = _ => inner.Matrices[1].Rows.SecondMoments.Row(0)[0] = float.NaN };
        var task = _tiny.Create(method, steps: 1);
        var error = Should.Throw<NonFiniteException>(() => new Trainer(task, _run).Run(cancellation: TestContext.Current.CancellationToken));
        error.Kind.ShouldBe(NonFiniteKind.Weights);
        Failure(error).GetProperty("where").EnumerateArray().Select(w => w.GetString()).ShouldContain("layers.1.values");
        Saved(error).Count.ShouldBe(4);
    }

    [Fact]
    public void What_the_largest_micro_batch_shows_is_told_before_the_first_step()
    {
        using var method = TinyTask.NewMethod();
        method.Matrices.Single(m => m.Name == "layers.1.keys").Rows.Weights.Row(0).Fill(float.NaN);
        var seen = new RecordingObserver();
        var task = _tiny.Create(method) with { CheckWorstBatch = WorstBatchCheck.On };
        var error = Should.Throw<NonFiniteException>(() => new Trainer(task, _run, seen).Run(cancellation: TestContext.Current.CancellationToken));
        error.Step.ShouldBe(0);
        error.Message.ShouldStartWith("before the first step: ");
        error.Folder.ShouldBe(_folder.File("run/failures/step-000000"));
        Saved(error).Select(r => r.InputIds).ShouldBe(LargestBatch.Of(task.Batches, 0).Rows.Select(r => r.InputIds));
        seen.Evaluations.ShouldBeEmpty();
    }

    [Fact]
    public void Evidence_that_cannot_be_written_hides_no_failure()
    {
        using var inner = TinyTask.NewMethod();
        var method = new MethodWithFaults(inner) { Norm = _ => double.NaN };
        _folder.Write("run/failures", "a file where the folder should be");
        var error = Should.Throw<Core.Errors.RunFailedException>(
            () => new Trainer(_tiny.Create(method), _run).Run(cancellation: TestContext.Current.CancellationToken));
        error.Message.ShouldContain("the gradient is not finite");
        error.Message.ShouldContain("cannot be written");
    }

    public void Dispose()
    {
        _tiny.Dispose();
        _folder.Dispose();
    }

    private static JsonElement Failure(NonFiniteException error)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(error.Folder!, "failure.json")));
        return json.RootElement.Clone();
    }

    private static List<TokenIdsRow> Saved(NonFiniteException error) =>
        [.. File.ReadAllLines(Path.Combine(error.Folder!, "rows.jsonl")).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            int[] Numbers(string name) => [.. json.RootElement.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];
            return new TokenIdsRow(new RowOrigin("rows.jsonl", 1), Numbers("input_ids"), Numbers("labels"));
        })];
}
