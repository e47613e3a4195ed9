using Meft.Core.Formats.HuggingFace;

namespace Meft.Demonstration;

/// <summary>The sizes of a demonstration.</summary>
public sealed record DemoOptions
{
    /// <summary>Everything follows from it: text, start values, order of rows.</summary>
    public ulong Seed { get; init; }

    /// <summary>People that the text tells of.</summary>
    public int People { get; init; } = 40;

    /// <summary>People that the adapter is taught about, each with five facts.</summary>
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

    /// <summary>R: the adapter's neurons a layer.</summary>
    public int Rank { get; init; } = 16384;

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

    /// <summary>The adapter's highest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

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
        Rank = 1024,
        FactBatch = 10,
        ReplayStories = 1,
        Epochs = 60,
        LearningRate = 5e-3,
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
