using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Core.Errors;
using Meft.Loading;
using Meft.Training;

namespace Meft.Benchmarking;

/// <summary>A way to fine-tune that <see cref="StepBenchmark"/> can time.</summary>
/// <param name="Name">As the command line spells it.</param>
/// <param name="FixedRank">The rank it is timed at; null where it is timed at all ranks that are asked for.</param>
/// <param name="LargestRank">Above it this way is hopeless and left out; null for no such bound.</param>
/// <param name="BytesAParameter">Bytes of host memory that a parameter takes while it is trained, at most.</param>
/// <param name="HasExecution">Whether there is a choice of what travels between host and device.</param>
/// <param name="Create">Makes it with its start values.</param>
internal sealed record StepMethod(
    string Name, int? FixedRank, int? LargestRank, int BytesAParameter, bool HasExecution, Func<StepPlan, ITrainedMethod> Create)
{
    private const ulong Seed = 0;

    /// <summary>All of them. The first one that is asked for is what the others are compared with.</summary>
    public static IReadOnlyList<StepMethod> All { get; } =
    [
        new("lora", 16, null, 24, false, plan => Lora(plan.Model, plan.Spec)),
        new("parallel", null, 1 << 14, 24, false, plan => Parallel(plan.Model, plan.Spec)),
        new("masked", null, 1 << 14, 24, false, plan => Masked(plan.Model, plan.Spec)),
        new("meft", null, null, 16, true, plan => new SparseAdapterMethod(
            new SparseAdapter(plan.Spec).Initialize(Seed), OptimizerRows.Touched, IdentityOf(plan.Model), plan.Execution ?? ExecutionKind.Activations)),
    ];

    /// <summary>The method with a name.</summary>
    /// <exception cref="InvalidInputException">There is none.</exception>
    public static StepMethod Find(string name) => All.FirstOrDefault(m => m.Name == name)
        ?? throw new InvalidInputException($"'{name}' is no method that can be timed", "--methods", string.Join(", ", All.Select(m => m.Name)));

    /// <summary>PEFT's default, queries and values; where these are fused with the keys, all three.</summary>
    private static LoraMethod Lora(LoadedModel model, SparseAdapterSpec spec)
    {
        var settings = new LoraSettings
        {
            Rank = spec.Rank,
            Alpha = spec.Rank,
            Targets = new TargetSelection.Named(model.Config.FusedProjections ? ["qkv_proj"] : ["q_proj", "v_proj"]),
            Layers = [.. spec.Layers],
        };
        var adapter = new LoraAdapter(settings.Resolve(model.Config), model.Decoder.Device).Initialize(Seed);
        return new LoraMethod(adapter, PeftLoraConfig.Create(settings, "bench"), Seed);
    }

    private static ParallelMethod Parallel(LoadedModel model, SparseAdapterSpec spec) => new(
        new DenseParallelAdapter(spec with { Experts = 0, Probe = 0, TopK = 0 }, Seed, model.Decoder.Device), IdentityOf(model));

    private static MaskedDenseMethod Masked(LoadedModel model, SparseAdapterSpec spec)
    {
        using var start = new SparseAdapter(spec).Initialize(Seed);
        return new MaskedDenseMethod(new MaskedDenseAdapter(start, model.Decoder.Device));
    }

    private static AdapterIdentity IdentityOf(LoadedModel model) => new("bench", BaseFingerprint.Of(model.Config), null);
}
