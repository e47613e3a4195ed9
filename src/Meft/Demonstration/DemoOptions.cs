using Meft.Core.Configuration;
using Meft.Core.Formats.HuggingFace;

namespace Meft.Demonstration;

/// <summary>The sizes of a demonstration.</summary>
public sealed record DemoOptions
{
    /// <summary>Everything but rates follows from it: text, start values, order of rows.</summary>
    public ulong Seed { get; init; }

    /// <summary>People that the text tells of.</summary>
    public int People { get; init; } = 40;

    /// <summary>People that the methods are taught about, each with five facts.</summary>
    public int Newcomers { get; init; } = 60;

    /// <summary>Stories that the base learns from, each read once.</summary>
    public int Stories { get; init; } = 6400;

    /// <summary>Stories that measure the loss on old text; none of them is trained on.</summary>
    public int HeldOutStories { get; init; } = 128;

    /// <summary>The base's sizes.</summary>
    public DemoBaseSizes Base { get; init; } = new(HiddenSize: 128, IntermediateSize: 344, LayerCount: 4, HeadCount: 4);

    /// <summary>Stories of a step of the base's training.</summary>
    public int BaseBatch { get; init; } = 8;

    /// <summary>The base's highest learning rate.</summary>
    public double BaseLearningRate { get; init; } = 4e-3;

    /// <summary>
    /// The methods, in order. Each has a rate of its own that was found with <see cref="FindsRates"/> and seed 0, on facts about other people than those
    /// that a figure is over.
    /// </summary>
    public IReadOnlyList<DemoMethod> Methods { get; init; } =
    [
        new(MethodKind.Lora, 8, 1.6e-2),
        new(MethodKind.Lora, 64, 4e-3),
        new(MethodKind.Parallel, 1024, 1.6e-2),
        new(MethodKind.Parallel, 4096, 8e-3), // beyond the budget, so that this rate has not been looked for
        new(MethodKind.Meft, 4096, 2e-3),
        new(MethodKind.Meft, 16384, 1e-3),
    ];

    /// <summary>Where the rates of <see cref="Methods"/> come from, in words.</summary>
    public string RatesAreFrom { get; init; } = "each method has the best of the rates that `meft demo --rates` tries on facts about other people (with seed 0)";

    /// <summary>The method that the others are compared with: its place in <see cref="Methods"/>.</summary>
    public int Reference { get; init; } = 1;

    /// <summary>Bytes that a method may hold on the device; one that holds more is not trained.</summary>
    public long DeviceBudget { get; init; } = 80L << 20;

    /// <summary>Whether rates are looked for anew: each method is taught facts about other people with several rates, and takes the best.</summary>
    public bool FindsRates { get; init; }

    /// <summary>People whose facts rates are looked for with; no figure is about them.</summary>
    public int RateNewcomers { get; init; } = 60;

    /// <summary>k: neurons that a token activates.</summary>
    public int TopK { get; init; } = 64;

    /// <summary>P: experts that a token probes.</summary>
    public int Probe { get; init; } = 8;

    /// <summary>Facts of a step.</summary>
    public int FactBatch { get; init; } = 30;

    /// <summary>
    /// Stories that each step reads again beside the facts, so that old text is not forgotten; their rows are some that the base was trained on.
    /// </summary>
    public int ReplayStories { get; init; } = 16;

    /// <summary>How often each fact is trained.</summary>
    public int Epochs { get; init; } = 12;

    /// <summary>So small that it takes seconds: for tests, and to see that everything works. What it learns is little.</summary>
    public static DemoOptions Quick { get; } = new()
    {
        People = 8,
        Newcomers = 4,
        Stories = 1000,
        HeldOutStories = 16,
        Base = new DemoBaseSizes(HiddenSize: 48, IntermediateSize: 96, LayerCount: 2, HeadCount: 4),
        BaseBatch = 4,
        BaseLearningRate = 5e-3,
        Methods = [new(MethodKind.Lora, 8, 5e-3), new(MethodKind.Parallel, 2048, 5e-3), new(MethodKind.Meft, 1024, 5e-3)],
        Reference = 0,
        RatesAreFrom = "rates are not tuned",
        DeviceBudget = 6L << 20,
        RateNewcomers = 4,
        FactBatch = 10,
        ReplayStories = 1,
        Epochs = 60,
    };
}

/// <summary>The sizes of the demonstration's base model.</summary>
/// <param name="HiddenSize">D.</param>
/// <param name="IntermediateSize">The width inside a feed-forward block.</param>
/// <param name="LayerCount">Layers.</param>
/// <param name="HeadCount">Attention heads.</param>
public readonly record struct DemoBaseSizes(int HiddenSize, int IntermediateSize, int LayerCount, int HeadCount)
{
    private const int MaxPositions = 256;

    /// <summary>A model of the LLaMA architecture with these sizes.</summary>
    /// <param name="vocabularySize">Tokens of the vocabulary.</param>
    /// <param name="endToken">The token before and after texts.</param>
    internal ModelConfig ToConfig(int vocabularySize, int endToken) => new()
    {
        Architecture = "LlamaForCausalLM",
        VocabularySize = vocabularySize,
        HiddenSize = HiddenSize,
        IntermediateSize = IntermediateSize,
        LayerCount = LayerCount,
        HeadCount = HeadCount,
        KeyValueHeadCount = HeadCount,
        HeadSize = HiddenSize / HeadCount,
        MaxPositions = MaxPositions,
        TiedEmbeddings = true,
        BeginToken = endToken,
        EndTokens = [endToken],
    };
}
