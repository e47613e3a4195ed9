using CsCheck;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Adapters;

public class SparseLayerPropertyTests
{
    /// <summary>Odd sizes, one token, one expert, all experts probed, more k than candidates, no k, no router.</summary>
    private static readonly Gen<(SparseAdapterSpec Spec, int Tokens, int Seed)> Shapes =
        from hidden in Gen.Int[1, 37]
        from experts in Gen.Int[0, 9]
        from perExpert in Gen.Int[1, 9]
        from probe in Gen.Int[1, Math.Max(1, experts)]
        from k in Gen.Int[0, 40]
        from softmax in Gen.Bool
        from tokens in Gen.Int[1, 21]
        from seed in Gen.Int[0, 1_000_000]
        select (new SparseAdapterSpec(
            Math.Max(1, experts) * perExpert, hidden, experts, experts == 0 ? 0 : probe, k,
            softmax ? GateKind.Softmax : GateKind.Linear, [0]), tokens, seed);

    public static TheoryData<ExecutionKind> BothExecutions => [.. Executions.Both];

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Agrees_with_the_masked_dense_oracle(ExecutionKind execution) => Shapes.Sample((spec, tokens, seed) =>
    {
        using var scope = NewDisposeScope();
        var (x, keys, values, gate, dy) = Data(spec, tokens, seed);
        var oracle = new MaskedDenseOracle(spec).Run(x, keys, values, gate, dy);
        var fast = FastLayer.Run(spec, x, keys, values, gate, dy, execution);

        // Float32 may decide near-ties differently from float64: only selections that agree make the rest comparable.
        if (!fast.Active.equal(oracle.Active).all().item<bool>()) return Margin(spec, oracle, x, keys, gate) < 1e-5;
        var singles = InSingle(spec, x, keys, values, gate, dy, seed);
        Near(fast.Y, oracle, singles, result => result.Y, "y");
        Near(fast.Dx, oracle, singles, result => result.Dx, "dx");
        Near(fast.DKeys, oracle, singles, result => result.DKeys, "dK");
        Near(fast.DValues, oracle, singles, result => result.DValues, "dV");
        Near(fast.DGate, oracle, singles, result => result.DGate, "dG");
        return true;
    }, iter: 300, threads: 1);

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Ties_go_to_the_lower_expert_and_the_lower_row(ExecutionKind execution) =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[0, 1000]).Sample((probe, k, seed) =>
        {
            // Small whole numbers: many exact ties, and no rounding in either arithmetic.
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)seed);
            var spec = new SparseAdapterSpec(24, 3, 6, probe, k, GateKind.Linear, [0]);
            Tensor Whole(int rows) => randint(-2, 3, [rows, 3], generator: generator).to(ScalarType.Float64);
            var (x, keys, values, gate, dy) = (Whole(7), Whole(24), Whole(24), Whole(6), Whole(7));
            var oracle = new MaskedDenseOracle(spec).Run(x, keys, values, gate, dy);
            var fast = FastLayer.Run(spec, x, keys, values, gate, dy, execution);
            fast.Active.equal(oracle.Active).all().item<bool>().ShouldBeTrue();
            fast.Y.to(ScalarType.Float64).equal(oracle.Y).all().item<bool>().ShouldBeTrue();
            fast.DKeys.to(ScalarType.Float64).equal(oracle.DKeys).all().item<bool>().ShouldBeTrue();
            fast.DGate.to(ScalarType.Float64).equal(oracle.DGate).all().item<bool>().ShouldBeTrue();
        }, iter: 100, threads: 1);

    [Theory]
    [MemberData(nameof(BothExecutions))]
    public void Tokens_that_activate_nothing_give_zero_and_touch_no_row(ExecutionKind execution)
    {
        using var scope = NewDisposeScope();
        var spec = new SparseAdapterSpec(12, 5, 3, 2, 4, GateKind.Linear, [0]);
        var (x, keys, values, gate, dy) = Data(spec, 6, 1);
        // Positive coefficients and negative products: every score is negative.
        var fast = FastLayer.Run(spec, x.abs(), -keys.abs(), values, gate.abs(), dy, execution);
        fast.Touched.ShouldBeEmpty();
        fast.Y.count_nonzero().item<long>().ShouldBe(0);
        fast.Dx.count_nonzero().item<long>().ShouldBe(0);
    }

    [Fact]
    public void A_token_gets_the_same_bits_whichever_tokens_stand_beside_it() => Shapes.Sample((spec, tokens, seed) =>
    {
        using var scope = NewDisposeScope();
        var (x, keys, values, gate, dy) = Data(spec, tokens + 3, seed);
        var all = FastLayer.Run(spec, x, keys, values, gate, dy);
        var some = FastLayer.Run(spec, x.narrow(0, 2, tokens), keys, values, gate, dy.narrow(0, 2, tokens));
        all.Y.narrow(0, 2, tokens).equal(some.Y).all().item<bool>().ShouldBeTrue();
        all.Dx.narrow(0, 2, tokens).equal(some.Dx).all().item<bool>().ShouldBeTrue();
    }, iter: 100, threads: 1);

    private static (Tensor X, Tensor Keys, Tensor Values, Tensor Gate, Tensor Dy) Data(SparseAdapterSpec spec, int tokens, int seed)
    {
        using var generator = new Generator((ulong)seed);
        Tensor Normal(int rows) => randn([rows, spec.HiddenSize], generator: generator).to(ScalarType.Float64);
        return (Normal(tokens), Normal(spec.Rank), Normal(spec.Rank), Normal(spec.Experts).Times(1 / Math.Sqrt(spec.HiddenSize)), Normal(tokens));
    }

    /// <summary>The same formula in plain float32, its sums over the hidden size in several orders: one order alone may round luckily.</summary>
    private static List<(Tensor Order, MaskedDenseOracle.Result Result)> InSingle(
        SparseAdapterSpec spec, Tensor x, Tensor keys, Tensor values, Tensor gate, Tensor dy, int seed)
    {
        using var generator = new Generator((ulong)seed);
        return [.. Enumerable.Range(0, 6).Select(_ =>
        {
            var order = randperm(spec.HiddenSize, generator: generator);
            Tensor Single(Tensor columns) => columns.index_select(1, order).to(ScalarType.Float32);
            return (order, new MaskedDenseOracle(spec).Run(Single(x), Single(keys), Single(values), Single(gate), Single(dy)));
        })];
    }

    /// <summary>
    /// 1e-5 relative in the Frobenius norm. Random data can make sums that nearly cancel, whose relative error no float32 arithmetic keeps small: there
    /// the error may be four times the largest one of the same formula in plain float32.
    /// </summary>
    private static void Near(
        Tensor actual, MaskedDenseOracle.Result oracle, List<(Tensor Order, MaskedDenseOracle.Result Result)> singles,
        Func<MaskedDenseOracle.Result, Tensor> part, string what)
    {
        var expected = part(oracle);
        var allowed = singles.Max(single => Distance(part(single.Result), expected.index_select(1, single.Order)));
        Distance(actual, expected).ShouldBeLessThanOrEqualTo(Math.Max(1e-5 * expected.norm().item<double>(), 4 * allowed), what);
    }

    private static double Distance(Tensor one, Tensor other) => (one.to(ScalarType.Float64) - other).norm().item<double>();

    /// <summary>The smallest distance, over all tokens, between a selected number and one that was not, relative to their size.</summary>
    private static double Margin(SparseAdapterSpec spec, MaskedDenseOracle.Result oracle, Tensor x, Tensor keys, Tensor gate)
    {
        var products = x.matmul(keys.t());
        var smallest = products.abs().min().item<double>();
        if (spec.Experts > 0)
        {
            var g = x.matmul(gate.t());
            if (spec.Gate == GateKind.Softmax) g = g.softmax(-1);
            smallest = Math.Min(smallest, SmallestGap(g));
            products = products * g.repeat_interleave(spec.RowsPerExpert, -1);
        }
        return Math.Min(smallest, SmallestGap(products));
    }

    private static double SmallestGap(Tensor values)
    {
        if (values.shape[1] < 2) return double.PositiveInfinity;
        var (sorted, _) = sort(values, dim: -1);
        var gaps = sorted.narrow(1, 1, values.shape[1] - 1) - sorted.narrow(1, 0, values.shape[1] - 1);
        return gaps.min().item<double>();
    }
}
