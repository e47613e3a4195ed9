using Meft.Adapters;
using Meft.Adapters.Lora;
using Meft.Core.Adapters;
using Meft.Core.Adapters.Lora;
using Meft.Core.Configuration;
using Meft.Models;
using Meft.Training;
using static System.FormattableString;

namespace Meft.Demonstration;

/// <summary>A method that a demonstration compares.</summary>
/// <param name="Kind">What is trained beside the base.</param>
/// <param name="Rank">R, the neurons a layer; LoRA's r.</param>
/// <param name="LearningRate">The highest rate; found with <see cref="Demo"/>'s search (<see cref="DemoOptions.FindsRates"/>), where that search begins.</param>
public sealed record DemoMethod(MethodKind Kind, int Rank, double LearningRate)
{
    /// <summary>The name in tables.</summary>
    public string Name => Kind switch
    {
        MethodKind.Lora => Invariant($"LoRA r = {Rank}"),
        MethodKind.Parallel => Invariant($"dense R = {Rank:N0}"),
        _ => Invariant($"MEFT R = {Rank:N0}"),
    };

    /// <summary>The name for programs.</summary>
    public string Id => Invariant($"{ChoiceName.Of(Kind)}-{Rank}");

    /// <summary>AdamW as a run has it whose config says the rate alone.</summary>
    internal OptimizerConfig OptimizerAt(double rate) => OptimizerConfig.For(Kind) with { LearningRate = rate };

    /// <summary>What it is, in a line.</summary>
    /// <param name="options">Where k and P are said.</param>
    internal string Describe(DemoOptions options) => Kind switch
    {
        MethodKind.Lora => Invariant($"{Name}: on all linear maps of the layers, alpha {Alpha}"),
        MethodKind.Parallel => Invariant($"{Name}: a feed-forward block beside that of each layer, every neuron computed and trained on the device"),
        _ => Invariant($"{Name}: the same block on the host, in N = {MethodConfig.AutoExperts(Rank)} experts; a token probes P = {options.Probe} of them and activates k = {options.TopK} neurons"),
    };

    /// <summary>A method with its start values.</summary>
    /// <param name="decoder">The base.</param>
    /// <param name="options">k, P and the seed.</param>
    internal ITrainedMethod Create(Decoder decoder, DemoOptions options)
    {
        if (Kind == MethodKind.Lora)
        {
            var settings = LoraSettings.From(
                new MethodConfig { Kind = Kind, RequestedRank = Rank, Experts = 0, Layers = Layers, Alpha = Alpha, Targets = new TargetSelection.AllLinear() },
                decoder.Config);
            var lora = new LoraAdapter(settings.Resolve(decoder.Config), decoder.Device).Initialize(options.Seed);
            return new LoraMethod(lora, PeftLoraConfig.Create(settings, "demo"), options.Seed);
        }
        var sizes = new MethodConfig
        {
            Kind = Kind,
            RequestedRank = Rank,
            TopK = options.TopK,
            Experts = MethodConfig.AutoExperts(Rank),
            Probe = options.Probe,
            Layers = Layers,
        };
        var spec = SparseAdapterSpec.From(sizes, decoder.Config.HiddenSize, decoder.Config.LayerCount);
        var identity = new AdapterIdentity("demo", BaseFingerprint.Of(decoder.Config), null);
        return Kind == MethodKind.Parallel
            ? new ParallelMethod(new DenseParallelAdapter(spec with { Experts = 0, Probe = 0, TopK = 0 }, options.Seed, decoder.Device), identity)
            : new SparseAdapterMethod(new SparseAdapter(spec).Initialize(options.Seed), OptimizerRows.Touched, identity);
    }

    /// <summary>Every method adapts all layers: the base has few, and the demo's rates were found on all of them.</summary>
    private static LayerSelection Layers => new LayerSelection.All();

    /// <summary>LoRA's alpha: a scale of 2 for every r.</summary>
    private int Alpha => 2 * Rank;
}
