using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;
using Meft.Core.Planning;

namespace Meft.Inspection;

/// <summary>Plans a step of training with each adapter, as <c>meft plan</c> does, on the CPU and with a config's defaults.</summary>
internal static class AdapterCostPlan
{
    /// <summary>Beyond these sizes numbers are no model's, and products of them leave their types.</summary>
    private const double MostParameters = 1e13;

    private const int MostLayers = 4096;

    /// <summary>The plans' figures; null where the sizes are too large for a plan.</summary>
    /// <param name="model">The base.</param>
    /// <param name="rank">R of the sparse adapter.</param>
    /// <param name="loraRank">r of LoRA.</param>
    public static AdapterCosts? Of(ModelConfig model, int rank, int loraRank)
    {
        var rowsOfAdapter = 2.0 * rank + MethodConfig.AutoExperts(rank) * 3.0;
        if (model.LayerCount > MostLayers || Math.Max(model.ParameterCount, model.LayerCount * rowsOfAdapter * model.HiddenSize) > MostParameters) return null;
        var (sparse, lora) = (Config(Sparse(rank)), Config(Lora(model, loraRank)));
        var width = BaseWeights.WidthOf(BaseDType.Auto, model);
        return new AdapterCosts(
            sparse.Batch.Size, Math.Min(sparse.Data.MaxLength, model.MaxPositions), BaseWeights.Of(model, width).TotalBytes,
            [Cost(sparse, model), Cost(lora, model)]);
    }

    private static AdapterCost Cost(RunConfig config, ModelConfig model)
    {
        var work = Workload.Assumed(config, model, "there are no rows");
        var plan = new RunPlanner(config, model, accelerator: false, MemoryBounds.None, machine: null).Plan(work);
        var isLora = config.Method.Kind == MethodKind.Lora;
        return new AdapterCost
        {
            Method = config.Method.Kind,
            Rank = config.Method.Rank,
            Experts = isLora ? null : config.Method.Experts,
            Layers = config.Method.Layers.Resolve(model.LayerCount).Count,
            Targets = isLora && config.Method.Targets is TargetSelection.Named named ? [.. named.Names] : null,
            Parameters = plan.TrainedParameters,
            ShareOfBase = plan.TrainedParameters / (double)plan.BaseParameters,
            FileBytes = sizeof(float) * plan.TrainedParameters,
            HostBytes = plan.Memory.Of(MemoryTier.Host) + plan.Memory.Of(MemoryTier.Pinned),
            DeviceBytes = plan.Memory.DeviceBytes,
        };
    }

    private static MethodConfig Sparse(int rank)
    {
        var experts = MethodConfig.AutoExperts(rank);
        // A rank below 4·ceil(sqrt(R)) experts is a small one: then fewer experts than probes may be left.
        var usual = new MethodConfig();
        return usual with { RequestedRank = rank, Experts = experts, Probe = Math.Min(usual.Probe, experts) };
    }

    /// <summary>LoRA's default targets; every linear map where the model does not have them.</summary>
    private static MethodConfig Lora(ModelConfig model, int rank)
    {
        var method = new MethodConfig
        {
            Kind = MethodKind.Lora,
            RequestedRank = rank,
            Experts = 0,
            Probe = 0,
            TopK = 0,
            Layers = MethodConfig.DefaultLayers(MethodKind.Lora),
        };
        var modules = LinearModule.Of(model with { LayerCount = 1 }).Select(module => module.ShortName).ToList();
        return method.Targets is TargetSelection.Named named && named.Names.All(modules.Contains)
            ? method
            : method with { Targets = new TargetSelection.Named([.. modules]) };
    }

    /// <summary>A run with the defaults that saves at its end alone, so that no copy for a checkpoint is counted.</summary>
    private static RunConfig Config(MethodConfig method) => new()
    {
        Model = "",
        Output = "",
        Method = method,
        Data = new DataConfig { Train = [] },
        Checkpoint = new CheckpointConfig { Every = 0 },
    };
}
