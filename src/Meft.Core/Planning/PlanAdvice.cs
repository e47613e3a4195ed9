using System.Globalization;
using Meft.Core.Configuration;

namespace Meft.Core.Planning;

/// <summary>Single settings, each with a value, that make a plan fit: tried by planning with them.</summary>
internal static class PlanAdvice
{
    /// <summary>The settings, best first; empty where no single one is enough.</summary>
    public static IReadOnlyList<string> For(RunPlanner planner, RunPlan plan)
    {
        var config = planner.Config;
        var advice = new List<string>();
        bool Fits(RunConfig changed, Workload work) => planner.Fits(planner.Plan(changed, work).Memory);
        void Try(string text, RunConfig changed)
        {
            if (Fits(changed, plan.Workload)) advice.Add(text);
        }

        if (config.Recompute == RecomputeMode.Off) Try("recompute: on", config with { Recompute = RecomputeMode.On });
        if (plan.Accelerator && config.Base == BasePlacement.Resident && config.Method.Kind != MethodKind.Full)
            Try("base: streamed", config with { Base = BasePlacement.Streamed });
        if (config.Quantize == Quantization.None && config.Method.Kind != MethodKind.Full && Mildest(q => Fits(config with { Quantize = q }, plan.Workload)) is { } quantize)
            advice.Add($"quantize: {ChoiceName.Of(quantize)}");
        if (plan is { Accelerator: true, Execution.Execution: ExecutionKind.Rows })
            Try("method.execution: activations", With(config, config.Method with { Execution = ExecutionKind.Activations }));
        var size = Largest(config.Batch.Size - 1, b => Fits(config with { Batch = config.Batch with { Size = b } }, Scaled(plan.Workload, b, config.Batch.Size)));
        if (size > 0) advice.Add(Invariant($"batch.size: {size} (with batch.accumulate: {Times(config.Batch, size)} for as many rows a step)"));
        if (config.Method.Kind != MethodKind.Full)
        {
            var rank = Largest(config.Method.RequestedRank - 1, r => Fits(With(config, WithRank(config.Method, r)), plan.Workload));
            if (rank > 0) advice.Add(Invariant($"method.rank: {rank}"));
            if (FewerLayers(config.Method.Layers, planner.Model.LayerCount, l => Fits(With(config, config.Method with { Layers = l }), plan.Workload)) is { } layers)
                advice.Add($"method.layers: {layers}");
        }
        if (config.Checkpoint.Keep > 1) Try("checkpoint.keep: 1", config with { Checkpoint = config.Checkpoint with { Keep = 1 } });
        if (config.Checkpoint.Incremental != IncrementalCheckpoints.Off)
            Try("checkpoint.incremental: off", config with { Checkpoint = config.Checkpoint with { Incremental = IncrementalCheckpoints.Off } });
        return advice;
    }

    /// <summary>
    /// The most layers that fit, fewer than are selected: spread as these are where they are spread, else, or where that is not enough, the last ones; null for none. Layers
    /// that are left out above the lowest one free host memory; the device is freed below the lowest alone.
    /// </summary>
    private static LayerSelection? FewerLayers(LayerSelection selected, int layerCount, Func<LayerSelection, bool> fits)
    {
        if (selected is LayerSelection.Every every)
        {
            for (var step = every.Step + 1; step < layerCount; step++)
            {
                if (fits(new LayerSelection.Every(step))) return new LayerSelection.Every(step);
            }
        }
        var count = Largest(selected.Resolve(layerCount).Count - 1, l => fits(new LayerSelection.Last(l)));
        return count > 0 ? new LayerSelection.Last(count) : null;
    }

    /// <summary>How to hold the base in blocks that fit, the closest to its own numbers; null where none does.</summary>
    private static Quantization? Mildest(Func<Quantization, bool> fits) =>
        new[] { Quantization.Int8, Quantization.Nf4 }.Where(fits).Select(q => (Quantization?)q).FirstOrDefault();

    /// <summary>The largest number from 1 to <paramref name="most"/> that fits, given that smaller ones do where it does; 0 for none.</summary>
    private static int Largest(int most, Func<int, bool> fits)
    {
        if (most < 1 || !fits(1)) return 0;
        var (low, high) = (1, most + 1);
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (fits(middle)) low = middle;
            else high = middle;
        }
        return low;
    }

    /// <summary>Micro-batches of fewer rows, each as long as before.</summary>
    private static Workload Scaled(Workload work, int size, int before)
    {
        long Part(long whole) => (long)(((Int128)whole * size + before - 1) / before);
        return work with
        {
            WorstTokens = Part(work.WorstTokens),
            WorstTrained = Part(work.WorstTrained),
            MeanTokens = work.MeanTokens * size / before,
            MeanTrained = work.MeanTrained * size / before,
        };
    }

    /// <summary>The method with another rank; its experts follow where they were those of <c>auto</c>.</summary>
    private static MethodConfig WithRank(MethodConfig method, int rank)
    {
        if (method.Kind != MethodKind.Meft || method.Experts == 0) return method with { RequestedRank = rank };
        var experts = method.Experts == MethodConfig.AutoExperts(method.RequestedRank) ? MethodConfig.AutoExperts(rank) : method.Experts;
        return method with { RequestedRank = rank, Experts = experts, Probe = Math.Min(method.Probe, experts) };
    }

    private static RunConfig With(RunConfig config, MethodConfig method) => config with { Method = method };

    private static long Times(BatchConfig batch, int size) => (long)Math.Ceiling((double)batch.Size * batch.Accumulate / size);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
