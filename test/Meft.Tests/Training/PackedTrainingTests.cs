using CsCheck;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Formats.HuggingFace;
using Meft.Kernels;
using Meft.Memory;
using Meft.Models;
using Meft.Tests.Models;
using Meft.TestSupport;
using Meft.Training;
using Meft.Training.Runs;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Training;

/// <summary>Rows packed into bins train exactly as rows that stand alone: nothing of one row reaches another.</summary>
public class PackedTrainingTests
{
    private const int Capacity = 16;

    private static readonly ModelConfig Windowed = TinyDecoder.Llama with { SlidingWindow = 3, SlidingLayers = [true, false] };

    private static readonly Gen<TokenRow[]> Rows = Gen.Select(Gen.Int[0, TinyDecoder.Llama.VocabularySize - 1].Array[2, Capacity], Gen.Int[0, 3])
        .Select((ids, prompt) => new TokenRow(ids, [.. ids.Select((id, i) => i < prompt && i < ids.Length - 1 ? TokenRow.Ignored : id)], new RowOrigin("f", 1)))
        .Array[1, 10];

    /// <summary>float32 in host memory takes our own kernel; float64 takes libtorch's attention, as a card does.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.Float64, false)]
    [InlineData(ScalarType.Float64, true)]
    public void Loss_and_gradient_of_packed_rows_are_those_of_each_row_alone(ScalarType type, bool window)
    {
        using var decoder = Decoder.Initialize(window ? Windowed : TinyDecoder.Llama, seed: 7, CPU, type);
        var tolerance = type == ScalarType.Float32 ? 1e-4 : 1e-10;
        Rows.Sample(rows =>
        {
            var packed = Packed(rows);
            var (loss, gradient) = LossAndGradient(decoder, packed);
            var alone = packed.Select(row => LossAndGradient(decoder, [row])).ToList();
            loss.ShouldBe(alone.Sum(a => a.Loss), tolerance * Math.Max(1, loss));
            foreach (var (one, other) in gradient.Zip(alone.SelectMany(a => a.Gradient))) one.ShouldBe(other, tolerance * 10);
        }, iter: 40, threads: 1);
    }

    [Fact]
    public void The_comparison_would_see_a_row_that_sees_another()
    {
        using var decoder = TinyDecoder.Create(TinyDecoder.Llama);
        TokenRow[] rows = [new([3, 7, 1, 9], [3, 7, 1, 9], default), new([4, 2, 8], [TokenRow.Ignored, 2, 8], default)];
        TokenRow[] joined = [new([.. rows.SelectMany(r => r.InputIds)], [3, 7, 1, 9, TokenRow.Ignored, 2, 8], default)];
        var (apart, together) = (LossAndGradient(decoder, rows).Loss, LossAndGradient(decoder, joined).Loss);
        Math.Abs(apart - together).ShouldBeGreaterThan(1e-2);
    }

    [Fact]
    [Trait("Category", "Fixtures")]
    public void So_it_is_with_every_tiny_model()
    {
        string[] folders = [.. new[] { "tiny", "families" }.SelectMany(group => Assets.FoldersBelow(Assets.Require("models"), group))];
        folders.ShouldNotBeEmpty();
        var random = new Random(3);
        foreach (var folder in folders)
        {
            using var decoder = Decoder.Load(folder, CPU, ScalarType.Float32);
            var packed = Packed([.. Enumerable.Range(0, 7).Select(_ =>
            {
                int[] ids = [.. Enumerable.Range(0, random.Next(2, Capacity)).Select(_ => random.Next(decoder.Config.VocabularySize))];
                return new TokenRow(ids, ids, new RowOrigin("f", 1));
            })]);
            var (loss, gradient) = LossAndGradient(decoder, packed);
            var alone = packed.Select(row => LossAndGradient(decoder, [row])).ToList();
            loss.ShouldBe(alone.Sum(a => a.Loss), 1e-4 * loss, folder);
            foreach (var (one, other) in gradient.Zip(alone.SelectMany(a => a.Gradient))) one.ShouldBe(other, 1e-3, folder);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_over_bins_is_the_step_over_their_rows(bool recompute)
    {
        using var tiny = new TinyTask();
        var rows = TinyTask.Rows(20);
        (StepResult, float[]) Step(BatchSchedule schedule)
        {
            using var method = TinyTask.NewMethod();
            var runner = new StepRunner(tiny.Decoder, method, new OptimizerConfig(), new MemoryLedger(), recompute);
            var result = runner.Run(schedule.StepAt(0).MicroBatches, 0.01, 1);
            return (result, TinyTask.Bits(method));
        }
        var (bins, packed) = Step(new BatchSchedule(rows, new BatchConfig { Size = 3, Accumulate = 20 }, 1, 1, null, shuffle: true, packTo: 24));
        var (plain, unpacked) = Step(new BatchSchedule(rows, new BatchConfig { Size = 20 }, 1, 1, null, shuffle: false));
        bins.Tokens.ShouldBe(plain.Tokens);
        bins.TrainedTokens.ShouldBe(plain.TrainedTokens);
        bins.Loss.ShouldBe(plain.Loss, 1e-5);
        bins.GradientNorm.ShouldBe(plain.GradientNorm, 1e-4 * plain.GradientNorm);
        // Adam's first step divides a gradient by its own size: the moments are compared, which are the gradients.
        var difference = packed.Zip(unpacked).Select((p, i) => (Math.Abs(p.First - p.Second), i)).Max().Item1;
        difference.ShouldBeLessThan(2e-3f);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_run_with_packing_shuffling_accumulation_and_weights_resumes_bit_for_bit(int threads)
    {
        using var folder = new TemporaryFolder();
        using var tiny = new TinyTask();
        var before = KernelThreads.Count;
        try
        {
            KernelThreads.Count = threads;
            var rows = TinyTask.Rows(30);
            TrainingTask Task(ITrainedMethod method) => tiny.Create(method) with
            {
                Batches = new BatchSchedule(
                    rows, new BatchConfig { Size = 2, Accumulate = 2 }, seed: 1, epochs: null, maxSteps: 12, shuffle: true, packTo: 24,
                    mix: RowMix.Of(TokenRows.Of(rows), new Dictionary<string, double> { ["rows.jsonl"] = 0.7 }, 1)),
            };
            using var straight = TinyTask.NewMethod();
            new Trainer(Task(straight)).Run(cancellation: TestContext.Current.CancellationToken);

            var run = RunFolder.Open(
                new RunConfig { Model = folder.File("model"), Output = folder.File("run"), Data = new DataConfig { Train = [folder.File("rows.jsonl")] } },
                ExistingRun.Refuse);
            using (var first = TinyTask.NewMethod())
            {
                var stopped = Task(first);
                // The schedule of a run that is stopped after five steps.
                new Trainer(stopped with
                {
                    Batches = new BatchSchedule(
                        rows, new BatchConfig { Size = 2, Accumulate = 2 }, seed: 1, epochs: null, maxSteps: 5, shuffle: true, packTo: 24,
                        mix: RowMix.Of(TokenRows.Of(rows), new Dictionary<string, double> { ["rows.jsonl"] = 0.7 }, 1)),
                }, run).Run(cancellation: TestContext.Current.CancellationToken);
            }
            using var resumed = TinyTask.NewMethod();
            run.Checkpoints.Load(5, resumed);
            new Trainer(Task(resumed), run).Run(fromStep: 5, TestContext.Current.CancellationToken).Steps.ShouldBe(12);
            TinyTask.Bits(resumed).ShouldBe(TinyTask.Bits(straight));
        }
        finally
        {
            KernelThreads.Count = before;
        }
    }

    /// <summary>The rows of the first micro-batch of a schedule that takes them all, in bins.</summary>
    private static IReadOnlyList<TokenRow> Packed(TokenRow[] rows) =>
        new BatchSchedule(rows, new BatchConfig { Size = rows.Length }, 0, 1, null, shuffle: true, packTo: Capacity).StepAt(0).MicroBatches[0];

    /// <summary>The summed loss of rows in one micro-batch, and its gradient at every embedded token.</summary>
    private static (double Loss, double[] Gradient) LossAndGradient(Decoder decoder, IReadOnlyList<TokenRow> rows)
    {
        using var scope = NewDisposeScope();
        using var batch = MicroBatch.Create(rows, CPU);
        var embedded = decoder.Embed(batch.Ids).detach().requires_grad_();
        var logits = decoder.Logits(decoder.ForwardEmbedded(embedded, batch.Layout));
        var loss = nn.functional.cross_entropy(
            logits.index_select(0, tensor(batch.Positions)), tensor(batch.Targets), reduction: nn.Reduction.Sum);
        loss.backward();
        return (loss.to(float64).item<double>(), embedded.grad!.to(float64).flatten().data<double>().ToArray());
    }
}
