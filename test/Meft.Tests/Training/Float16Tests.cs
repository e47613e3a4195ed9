using Meft.Adapters;
using Meft.Core.Configuration;
using Meft.Core.Data;
using Meft.Core.Formats.HuggingFace;
using Meft.Memory;
using Meft.Models;
using Meft.Training;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Training;

/// <summary>A base of float16: what its narrow range must not do to gradients.</summary>
public class Float16Tests
{
    public static TheoryData<MethodKind, bool> Methods => new()
    {
        { MethodKind.Meft, false },
        { MethodKind.Meft, true },
        { MethodKind.Parallel, false },
        { MethodKind.Lora, false },
        { MethodKind.Full, false },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_step_is_that_of_float32_up_to_rounding(MethodKind kind, bool recompute)
    {
        var (loss, norm, moved) = Step(ScalarType.Float16, kind, TinyTask.Rows(8), recompute);
        var (wideLoss, wideNorm, wideMoved) = Step(ScalarType.Float32, kind, TinyTask.Rows(8), recompute);
        loss.ShouldBe(wideLoss, 5e-3);
        norm.ShouldBe(wideNorm, 5e-3 * wideNorm);
        TorchTest.RelativeError(tensor(moved), tensor(wideMoved)).ShouldBeLessThan(0.05);
    }

    [Theory]
    [InlineData(MethodKind.Meft)]
    [InlineData(MethodKind.Lora)]
    public void Gradients_too_small_for_the_type_are_not_lost(MethodKind kind)
    {
        // Logits a thousandth as large, and the mean over a thousand tokens: what comes down is about a millionth.
        var flat = TinyTask.Config with { Multipliers = new Multipliers { LogitDivisor = 1000 } };
        var rows = TinyTask.Rows(200);
        var (_, norm, _) = Step(ScalarType.Float16, kind, rows, config: flat);
        var (_, wideNorm, _) = Step(ScalarType.Float32, kind, rows, config: flat);
        norm.ShouldBe(wideNorm, 5e-3 * wideNorm);
    }

    [Theory]
    [InlineData(ExecutionKind.Activations)]
    [InlineData(ExecutionKind.Rows)]
    public void A_step_whose_gradients_are_too_large_is_computed_again_and_moves_as_far(ExecutionKind execution)
    {
        // Logits a thousand times as large: so are gradients, 128 times one of which float16 does not hold.
        var steep = TinyTask.Config with { Multipliers = new Multipliers { LogitDivisor = 0.001 } };
        IReadOnlyList<TokenRow>[] microBatches = [TinyTask.Rows(5), TinyTask.Rows(4, seed: 6)];
        var (result, moved) = Take(ScalarType.Float16);
        var (wide, wideMoved) = Take(ScalarType.Float32);
        (result.Attempts, wide.Attempts).ShouldBe((2, 1));
        result.Tokens.ShouldBe(wide.Tokens);
        result.ActiveRows.ShouldBe(wide.ActiveRows, 0.02);
        result.GradientNorm.ShouldBe(wide.GradientNorm, 0.02 * wide.GradientNorm);
        TorchTest.RelativeError(tensor(moved), tensor(wideMoved)).ShouldBeLessThan(0.05);

        (StepResult Result, float[] Moved) Take(ScalarType type)
        {
            using var decoder = Decoder.Initialize(steep, seed: 7, CPU, type);
            using var method = WithValues(new SparseAdapterMethod(new SparseAdapter(TinyTask.Spec).Initialize(seed: 3), OptimizerRows.Touched, TinyTask.Identity, execution));
            var before = Numbers(method);
            var step = new StepRunner(decoder, method, new OptimizerConfig { Eps = 1e-2 }, new MemoryLedger()).Run(microBatches, 1e-3, 1);
            method.Sparse.Usage.Take(1, 1).Tokens.ShouldBe(step.Tokens);
            return (step, [.. Numbers(method).Zip(before, (a, b) => a - b)]);
        }
    }

    [Fact]
    public void A_step_that_no_factor_makes_finite_changes_nothing_and_the_error_names_the_type()
    {
        using var decoder = Decoder.Initialize(TinyTask.Config, seed: 7, CPU, ScalarType.Float16);
        using var method = WithValues(TinyTask.NewMethod(), size: 1e8f);
        var before = Numbers(method);
        var runner = new StepRunner(decoder, method, new OptimizerConfig(), new MemoryLedger());
        Should.Throw<NonFiniteException>(() => runner.Run([TinyTask.Rows(8)], 1e-3, 1)).NextStep.ShouldNotBeNull().ShouldContain("bf16 or fp32");
        Numbers(method).ShouldBe(before);
    }

    [Fact]
    public void Clipping_goes_by_the_norm_of_the_mean()
    {
        // Clipped to a 1,000th of the norm, all moves are as long in both types.
        var (_, norm, _) = Step(ScalarType.Float16, MethodKind.Lora, TinyTask.Rows(8));
        var clipped = new OptimizerConfig { MaxGradNorm = norm / 1000, Eps = 1 };
        var (_, _, moved) = Step(ScalarType.Float16, MethodKind.Lora, TinyTask.Rows(8), optimizer: clipped);
        var (_, _, wideMoved) = Step(ScalarType.Float32, MethodKind.Lora, TinyTask.Rows(8), optimizer: clipped);
        TorchTest.RelativeError(tensor(moved), tensor(wideMoved)).ShouldBeLessThan(0.02);
    }

    /// <summary>One step: its loss, its gradient's norm, and how far every trained number moved.</summary>
    private static (double Loss, double Norm, float[] Moved) Step(
        ScalarType type, MethodKind kind, IReadOnlyList<TokenRow> rows, bool recompute = false, OptimizerConfig? optimizer = null, ModelConfig? config = null)
    {
        using var decoder = Decoder.Initialize(config ?? TinyTask.Config, seed: 7, CPU, type);
        using ITrainedMethod method = kind switch
        {
            MethodKind.Meft => WithValues(TinyTask.NewMethod()),
            MethodKind.Parallel => new ParallelMethod(new DenseParallelAdapter(TinyTask.Spec with { Experts = 0, Probe = 0, TopK = 0 }, seed: 3, CPU), TinyTask.Identity),
            MethodKind.Lora => TinyTask.NewLora(),
            _ => new FullMethod(decoder),
        };
        var before = Numbers(method);
        // A large eps: moves follow gradients, where Adam alone would make the least of them as large as any.
        var result = new StepRunner(decoder, method, optimizer ?? new OptimizerConfig { Eps = 1e-2 }, new MemoryLedger(), recompute).Run([rows], 1e-3, 1);
        return (result.Loss, result.GradientNorm, [.. Numbers(method).Zip(before, (a, b) => a - b)]);
    }

    /// <summary>Values other than zero: keys have a gradient then.</summary>
    private static SparseAdapterMethod WithValues(SparseAdapterMethod method, float size = 0.1f)
    {
        var random = new Random(4);
        foreach (var (_, store) in method.Sparse.Stores)
        {
            for (var row = 0; row < store.Values.Rows; row++)
                foreach (ref var value in store.Values.Weights.Row(row)) value = size * (float)(random.NextDouble() - 0.5);
        }
        return method;
    }

    private static float[] Numbers(ITrainedMethod method) => [.. method.Matrices.SelectMany(m => Enumerable.Range(0, m.Rows.Rows).SelectMany(row => m.Rows.Weights.Row(row).ToArray()))];
}
