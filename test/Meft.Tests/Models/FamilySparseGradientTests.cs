using Meft.Adapters;
using Meft.Core.Adapters;
using Meft.Core.Configuration;
using Meft.Host;
using Meft.Models;
using Meft.Native;
using Shouldly;
using static TorchSharp.torch;

namespace Meft.Tests.Models;

/// <summary>The sparse adapter beside every family's blocks: the gradients of keys, values and gate against finite differences.</summary>
public class FamilySparseGradientTests
{
    private const int Draws = 4;

    /// <summary>So small that the selection seldom changes between the two sides of a difference.</summary>
    private const double Step = 5e-5;

    public static TheoryData<string, GateKind> Cases { get; } = new(
        RandomFamilies.Names.SelectMany(family => new[] { GateKind.Linear, GateKind.Softmax }.Select(gate => (family.Data, gate))));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_are_those_of_finite_differences(string family, GateKind gate)
    {
        var kept = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 0; seed < Draws; seed++)
        {
            using var scope = NewDisposeScope();
            var config = RandomFamilies.Create(family, seed);
            // Differences come from a base of float64: what the adapter rounds is then all the noise there is.
            using Decoder wide = RandomFamilies.Build(config, float64), narrow = RandomFamilies.Build(config, float32);
            // The gradient of the lower layer passes through the upper one's keys and gate.
            using var adapter = Drawn(new SparseAdapterSpec(24, config.HiddenSize, 4, 2, 5, gate, [0, 1]), seed);
            var watched = new WatchedAdapter(adapter);
            var (gradients, selected) = Gradients(narrow, watched);
            foreach (var (name, matrix) in Matrices(adapter))
            {
                var gradient = gradients[name];
                var norm = Math.Sqrt(gradient.Sum(g => g * g));
                if (Change(wide, watched, selected, matrix, Direction(gradient, norm, seed)) is not var (expected, moved)) continue;
                var actual = gradient.Zip(moved, (g, m) => g * m).Sum();
                actual.ShouldBe(expected, 2e-3 * Math.Abs(expected), $"{family} {seed} {name}");
                Math.Abs(expected).ShouldBeGreaterThan(2 * Step * 3 * norm, $"{family} {seed} {name}");
                norm.ShouldBeGreaterThan(0.1, $"{family} {seed} {name}");
                kept[name] = kept.GetValueOrDefault(name) + 1;
            }
        }
        kept.Keys.ShouldBe(["0 gate", "0 keys", "0 values", "1 gate", "1 keys", "1 values"]);
        kept.Values.Min().ShouldBeGreaterThanOrEqualTo(Draws / 2);
    }

    /// <summary>The change of the loss between the sides of a difference, and that of the numbers; null where something else is selected.</summary>
    private static (double Loss, double[] Numbers)? Change(Decoder decoder, WatchedAdapter adapter, int[] selected, HostMatrix matrix, double[] direction)
    {
        using var noGradients = no_grad();
        var start = Numbers(matrix);
        (double Loss, float[] Numbers, bool IsSame) Moved(double by)
        {
            SetNumbers(matrix, [.. start.Zip(direction, (number, d) => (float)(number + by * d))]);
            adapter.Selected.Clear();
            var loss = FamilyGradientTests.Loss(decoder, adapter).item<double>();
            return (loss, Numbers(matrix), adapter.Selected.SequenceEqual(selected));
        }
        var (above, below) = (Moved(Step), Moved(-Step));
        SetNumbers(matrix, start);
        if (!above.IsSame || !below.IsSame) return null;
        return (above.Loss - below.Loss, [.. above.Numbers.Zip(below.Numbers, (a, b) => (double)a - b)]);
    }

    /// <summary>A random direction, of rows without a gradient too, that goes along the gradient: so the slope is at least four times the gradient's norm.</summary>
    private static double[] Direction(double[] gradient, double norm, int seed)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        double[] any = [.. gradient.Select(_ => Normal())];
        var sign = any.Zip(gradient, (a, g) => a * g).Sum() < 0 ? -1 : 1;
        return [.. any.Zip(gradient, (a, g) => sign * a + 4 * g / norm)];
    }

    private static (Dictionary<string, double[]> Gradients, int[] Selected) Gradients(Decoder decoder, WatchedAdapter watched)
    {
        watched.Selected.Clear();
        FamilyGradientTests.Loss(decoder, watched).backward();
        BackwardFailure.ThrowIfAny();
        watched.Inner.ThrowIfBackwardFailed();
        var gradients = new Dictionary<string, double[]>();
        foreach (var (layer, store) in watched.Inner.Stores)
        {
            gradients[$"{layer} keys"] = OfAllRows(store, store.RowGradients.Keys);
            gradients[$"{layer} values"] = OfAllRows(store, store.RowGradients.Values);
            gradients[$"{layer} gate"] = [.. Numbers(store.GateGradient).Select(g => (double)g)];
        }
        return (gradients, [.. watched.Selected]);
    }

    /// <summary>[R, D], zeros where nothing was touched.</summary>
    private static double[] OfAllRows(HostParameterStore store, HostMatrix touched)
    {
        var gradient = new double[store.Keys.Rows * touched.Dimension];
        foreach (var (slot, row) in store.RowGradients.TouchedRows.ToArray().Index())
        {
            for (var d = 0; d < touched.Dimension; d++) gradient[row * touched.Dimension + d] = touched.Row(slot)[d];
        }
        return gradient;
    }

    private static IEnumerable<(string Name, HostMatrix Matrix)> Matrices(SparseAdapter adapter) => adapter.Stores.SelectMany(layer => new[]
    {
        ($"{layer.Key} keys", layer.Value.Keys.Weights), ($"{layer.Key} values", layer.Value.Values.Weights), ($"{layer.Key} gate", layer.Value.Gate.Weights),
    });

    private static SparseAdapter Drawn(SparseAdapterSpec spec, int seed)
    {
        var adapter = new SparseAdapter(spec);
        var random = new Random(100 + seed);
        foreach (var (_, matrix) in Matrices(adapter)) SetNumbers(matrix, [.. Numbers(matrix).Select(_ => (float)(random.NextDouble() - 0.5))]);
        return adapter;
    }

    private static float[] Numbers(HostMatrix matrix) => [.. Enumerable.Range(0, matrix.Rows).SelectMany(row => matrix.Row(row).ToArray())];

    private static void SetNumbers(HostMatrix matrix, float[] numbers)
    {
        for (var row = 0; row < matrix.Rows; row++) numbers.AsSpan(row * matrix.Dimension, matrix.Dimension).CopyTo(matrix.Row(row));
    }

    /// <summary>The adapter, and what it selects.</summary>
    private sealed class WatchedAdapter(SparseAdapter inner) : IFeedForwardAdapter
    {
        public SparseAdapter Inner => inner;

        /// <summary>Of every call the experts that each token probes, and how many rows it activates, and which.</summary>
        public List<int> Selected { get; } = [];

        public bool Adapts(int layer) => inner.Adapts(layer);

        public Tensor Apply(int layer, Tensor x)
        {
            using (var pass = inner.Select(layer, x.detach().to(float32).clone()))
            {
                Selected.AddRange(pass.Active.Routing!.Experts);
                Selected.AddRange(pass.Active.TokenStarts);
                Selected.AddRange(pass.Active.Rows.ToArray());
            }
            return inner.Apply(layer, x);
        }
    }
}
