using Meft.Adapters;
using Meft.Host;
using Meft.Kernels;

namespace Meft.Benchmarking;

/// <summary>A kernel ready to run on a sample.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Roof">What it is held against.</param>
/// <param name="Amount">Floating-point operations, or bytes read and written, of a call.</param>
/// <param name="Run">The call.</param>
internal sealed record TimedKernel(string Name, RoofKind Roof, double Amount, Action Run);

/// <summary>The kernels of an adapted layer, in the order of a step.</summary>
internal static unsafe class KernelList
{
    /// <summary>The kernels on one sample.</summary>
    public static IEnumerable<TimedKernel> Of(KernelSample sample) =>
        Forward(sample).Concat(Backward(sample)).Concat(Optimizer(sample)).Concat(Travelling(sample)).Concat(Whole(sample));

    private static List<TimedKernel> Forward(KernelSample sample)
    {
        List<TimedKernel> kernels = [];
        var (spec, active, routing) = (sample.Spec, sample.Active, sample.Routing);
        int tokens = sample.X.Rows, d = spec.HiddenSize;
        float* x = sample.X.Data, keys = sample.Store.Keys.Weights.Data, gate = sample.Store.Gate.Weights.Data;

        kernels.Add(new TimedKernel("router, libtorch's matmul", RoofKind.Matmul, 2.0 * tokens * spec.Experts * d, TorchRouter(sample)));
        var numbers = new float[tokens * spec.Experts];
        kernels.Add(new TimedKernel("router", RoofKind.Matmul, 2.0 * numbers.Length * d, () =>
        {
            fixed (float* to = numbers) GroupedScores.ComputeAll(x, tokens, gate, spec.Experts, d, to);
        }));
        kernels.Add(new TimedKernel("router with its choice of experts", RoofKind.Matmul, 2.0 * tokens * spec.Experts * d, () =>
            KeyExpertsRouter.Route(x, tokens, gate, spec)));

        var groups = ExpertGroups.Build(routing.Experts, spec.Probe, spec.Experts);
        var products = new float[tokens * spec.Probe * spec.RowsPerExpert];
        kernels.Add(new TimedKernel("candidate scores", RoofKind.Matmul, 2.0 * products.Length * d, () =>
        {
            fixed (int* members = groups.Tokens, slots = groups.Slots)
            fixed (float* to = products)
                GroupedScores.Compute(x, keys, groups.Starts, members, slots, spec.RowsPerExpert, d, to);
        }));
        kernels.Add(new TimedKernel("k largest of the candidates", RoofKind.None, 0, () => SelectAll(products, tokens, spec.TopK)));
        kernels.Add(new TimedKernel("active set: route, score, select, transpose", RoofKind.None, 0, () =>
            ActiveSetBuilder.Build(x, tokens, keys, gate, spec).Dispose()));
        kernels.Add(new TimedKernel("transpose of the active set", RoofKind.None, 0, () =>
            new UnionIndex(active.TokenStarts, active.Rows, spec.Rank).Dispose()));
        kernels.Add(WeightedSum("weighted sum of values (y)", sample, sample.Store.Values.Weights));
        return kernels;
    }

    private static List<TimedKernel> Backward(KernelSample sample)
    {
        List<TimedKernel> kernels = [];
        var (active, store, d) = (sample.Active, sample.Store, sample.Spec.HiddenSize);
        float* dy = sample.Gradient.Data, values = store.Values.Weights.Data;
        var dots = new float[active.EntryCount];
        kernels.Add(new TimedKernel("score gradients (dots with values)", RoofKind.Matmul, 2.0 * dots.Length * d, () =>
        {
            fixed (int* starts = active.TokenStarts, rows = active.Rows)
            fixed (float* to = dots) MemberDots.Compute(dy, values, starts, rows, active.TokenCount, d, to);
        }));
        kernels.Add(WeightedSum("weighted sum of keys (dx)", sample, store.Keys.Weights));
        var slots = new int[active.UnionCount];
        store.RowGradients.Touch(active.UnionRows, slots);
        float* to = store.RowGradients.Values.Data;
        kernels.Add(new TimedKernel("row gradients (dV; dK is the same)", RoofKind.Matmul, 2.0 * active.EntryCount * d, () =>
        {
            fixed (int* starts = active.UnionStarts, tokens = active.UnionTokens, places = slots)
            fixed (float* weights = active.Scores)
                WeightedRowSum.Compute(dy, starts, tokens, weights, active.UnionCount, d, to, places, accumulate: true);
        }));
        float* norm = store.RowGradients.Keys.Data;
        kernels.Add(new TimedKernel("squared norm of row gradients", RoofKind.Copy, 4.0 * active.UnionCount * d, () =>
            SquaredNorm.Compute(norm, active.UnionCount, d)));
        return kernels;
    }

    private static List<TimedKernel> Optimizer(KernelSample sample)
    {
        List<TimedKernel> kernels = [];
        var (store, active, d) = (sample.Store, sample.Active, sample.Spec.HiddenSize);
        var step = new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 1);
        kernels.Add(new TimedKernel("AdamW of touched rows", RoofKind.Stream, 28.0 * active.UnionCount * d, () =>
        {
            fixed (int* touched = active.UnionRows)
            {
                AdamW.Update(
                    store.Values.Weights.Data, store.Values.FirstMoments.Data, store.Values.SecondMoments.Data, store.RowGradients.Values.Data,
                    touched, null, active.UnionCount, d, step);
            }
        }));
        return kernels;
    }

    private static List<TimedKernel> Travelling(KernelSample sample)
    {
        List<TimedKernel> kernels = [];
        var (active, d) = (sample.Active, sample.Spec.HiddenSize);
        float* keys = sample.Store.Keys.Weights.Data, gradients = sample.Store.RowGradients.Keys.Data;
        var buffer = sample.Buffer;
        foreach (var format in new[] { FloatFormat.Single, FloatFormat.BFloat16 })
        {
            double bytes = (format == FloatFormat.Single ? 8.0 : 6.0) * active.UnionCount * d;
            var name = format == FloatFormat.Single ? "float32" : "bfloat16";
            kernels.Add(new TimedKernel($"row gather to {name}", RoofKind.Copy, bytes, () =>
            {
                fixed (int* chosen = active.UnionRows) RowGather.Compute(keys, chosen, active.UnionCount, d, buffer.Data, format);
            }));
            kernels.Add(new TimedKernel($"row scatter from {name}", RoofKind.Copy, bytes, () =>
                RowScatter.Compute(buffer.Data, format, null, active.UnionCount, d, gradients)));
        }
        return kernels;
    }

    private static List<TimedKernel> Whole(KernelSample sample)
    {
        List<TimedKernel> kernels = [];
        var layer = new SparseLayer(sample.Spec, sample.Store);
        kernels.Add(new TimedKernel("a layer, forward", RoofKind.None, 0, () =>
        {
            using var active = layer.Select(sample.X.Data, sample.X.Rows);
            layer.Forward(active, sample.Output.Data);
        }));
        kernels.Add(new TimedKernel("a layer, backward", RoofKind.None, 0, () =>
            layer.Backward(sample.Active, sample.X.Data, sample.Gradient.Data, sample.Output.Data)));
        return kernels;
    }

    private static TimedKernel WeightedSum(string name, KernelSample sample, HostMatrix matrix)
    {
        var (active, d) = (sample.Active, sample.Spec.HiddenSize);
        return new TimedKernel(name, RoofKind.Matmul, 2.0 * active.EntryCount * d, () =>
        {
            fixed (int* starts = active.TokenStarts, rows = active.Rows)
            fixed (float* w = active.Scores) WeightedRowSum.Compute(matrix.Data, starts, rows, w, active.TokenCount, d, sample.Output.Data);
        });
    }

    private static Action TorchRouter(KernelSample sample)
    {
        var x = HostMatrixTensors.ToTensor(sample.X);
        var gate = HostMatrixTensors.ToTensor(sample.Store.Gate.Weights).t();
        return () => x.matmul(gate).Dispose();
    }

    private static void SelectAll(float[] products, int tokens, int k) => KernelThreads.For(tokens, grain: 16, (from, to) =>
    {
        var candidates = products.Length / tokens;
        var scratch = new uint[candidates];
        var chosen = new int[candidates];
        for (var t = from; t < to; t++) LargestK.Select(products.AsSpan(t * candidates, candidates), k, scratch, chosen);
    });
}
