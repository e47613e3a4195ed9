using System.Text.Json.Serialization;
using Meft.Training.Runs;

namespace Meft.Inspection;

/// <summary>What a path holds.</summary>
public enum PathKind
{
    /// <summary>A model: a Hugging Face folder, with weights or its config alone.</summary>
    Model,

    /// <summary>A GGUF file.</summary>
    Gguf,

    /// <summary>A safetensors file.</summary>
    Safetensors,

    /// <summary>An adapter folder.</summary>
    Adapter,

    /// <summary>A run's folder.</summary>
    Run,

    /// <summary>A checkpoint of a run.</summary>
    Checkpoint,
}

/// <summary>What was found at a path; a part that does not apply is null.</summary>
public sealed record PathReport
{
    /// <summary>What the path holds.</summary>
    public required PathKind Kind { get; init; }

    /// <summary>The path.</summary>
    public required string Path { get; init; }

    /// <summary>The model's sizes.</summary>
    public ModelSizes? Model { get; init; }

    /// <summary>What a GGUF file says of itself.</summary>
    public GgufFacts? Gguf { get; init; }

    /// <summary>The model's tokenizer.</summary>
    public TokenizerFacts? Tokenizer { get; init; }

    /// <summary>What a sparse adapter would add to the model.</summary>
    public AdapterCost? AdapterCost { get; init; }

    /// <summary>The adapter in the folder.</summary>
    public AdapterFacts? Adapter { get; init; }

    /// <summary>The run in the folder.</summary>
    public RunFacts? Run { get; init; }

    /// <summary>The checkpoint's step; null where the checkpoint is incomplete.</summary>
    public int? Step { get; init; }

    /// <summary>What else is known of the checkpoint; null where it is incomplete.</summary>
    public CheckpointFacts? Checkpoint { get; init; }

    /// <summary>What the files say about themselves, one value a key.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The tensors.</summary>
    public TensorList? Tensors { get; init; }

    /// <summary>What is missing or odd, in words.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];
}

/// <summary>A tensor of a file.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="DType">Its element or block type, as the format spells it.</param>
/// <param name="Shape">The sizes of its dimensions.</param>
/// <param name="Bytes">Bytes in the file.</param>
public sealed record TensorFacts(string Name, [property: JsonPropertyName("dtype")] string DType, IReadOnlyList<long> Shape, long Bytes)
{
    /// <summary>The number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>The tensors of one type.</summary>
/// <param name="DType">The type.</param>
/// <param name="Tensors">How many there are.</param>
/// <param name="Elements">Their elements.</param>
/// <param name="Bytes">Their bytes in the file.</param>
public sealed record TypeTotal([property: JsonPropertyName("dtype")] string DType, int Tensors, long Elements, long Bytes);

/// <summary>Tensors, with their totals.</summary>
public sealed record TensorList
{
    /// <summary>Sums tensors up.</summary>
    public TensorList(IEnumerable<TensorFacts> tensors)
    {
        All = [.. tensors];
        ByType = [.. All.GroupBy(t => t.DType).OrderByDescending(g => g.Sum(t => t.Bytes))
            .Select(g => new TypeTotal(g.Key, g.Count(), g.Sum(t => t.Elements), g.Sum(t => t.Bytes)))];
    }

    /// <summary>How many there are.</summary>
    public int Count => All.Count;

    /// <summary>Elements of all tensors.</summary>
    public long Elements => ByType.Sum(t => t.Elements);

    /// <summary>Bytes of all tensors in the file.</summary>
    public long Bytes => ByType.Sum(t => t.Bytes);

    /// <summary>Totals by type, the largest first.</summary>
    public IReadOnlyList<TypeTotal> ByType { get; }

    /// <summary>Each tensor, in the order of the file.</summary>
    public IReadOnlyList<TensorFacts> All { get; }
}

/// <summary>A model's sizes.</summary>
/// <param name="Architecture">The architecture's name.</param>
/// <param name="Parameters">Weights, a tied head counted once.</param>
/// <param name="Layers">Layers.</param>
/// <param name="HiddenSize">D.</param>
/// <param name="IntermediateSize">The width inside the feed-forward block.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="HeadSize">The width of a head.</param>
/// <param name="VocabularySize">Tokens of the vocabulary.</param>
/// <param name="MaxPositions">The longest row.</param>
/// <param name="SlidingWindow">Tokens that a sliding layer sees; null where none slides.</param>
/// <param name="TiedEmbeddings">Whether the head is the embedding.</param>
/// <param name="Rope">The kind of rotary embeddings and their base.</param>
/// <param name="DType">The type that config.json names; null where it names none.</param>
public sealed record ModelSizes(
    string Architecture, long Parameters, int Layers, int HiddenSize, int IntermediateSize, int Heads, int KeyValueHeads, int HeadSize,
    int VocabularySize, int MaxPositions, int? SlidingWindow, bool TiedEmbeddings, string Rope,
    [property: JsonPropertyName("dtype")] string? DType);

/// <summary>A model's tokenizer.</summary>
/// <param name="VocabularySize">One more than its largest id.</param>
/// <param name="Begin">Tokens it puts before every text.</param>
/// <param name="End">Tokens that end the model's answers.</param>
/// <param name="ChatTemplate">Whether the model has a chat template.</param>
/// <param name="Source">The file that the tokenizer is read from, of several the first.</param>
/// <param name="TemplateSource">The file that the template is read from; null where there is none.</param>
public sealed record TokenizerFacts(
    int VocabularySize, IReadOnlyList<string> Begin, IReadOnlyList<string> End, bool ChatTemplate, string Source, string? TemplateSource);

/// <summary>What the metadata of a GGUF file say.</summary>
/// <param name="Architecture">Its name there; null where they do not say it.</param>
/// <param name="Tokenizer">The kind of its tokenizer, and how that splits texts; null where it has none.</param>
/// <param name="ChatTemplate">Whether it holds a chat template.</param>
public sealed record GgufFacts(string? Architecture, string? Tokenizer, bool ChatTemplate);

/// <summary>What a sparse adapter on every layer would add to a model.</summary>
/// <param name="Rank">R, neurons a layer.</param>
/// <param name="Experts">N, experts a layer.</param>
/// <param name="Parameters">Parameters in all layers.</param>
/// <param name="ShareOfBase">Those over the base's.</param>
/// <param name="FileBytes">Bytes of its file.</param>
/// <param name="TrainingHostBytes">Bytes of host memory with both Adam moments, without the gradients of active rows.</param>
public sealed record AdapterCost(int Rank, int Experts, long Parameters, double ShareOfBase, long FileBytes, long TrainingHostBytes);

/// <summary>An adapter in a folder.</summary>
/// <param name="Kind">Its <c>peft_type</c>.</param>
/// <param name="BaseModel">The base it was trained on, as its config names it.</param>
/// <param name="Rank">R, neurons a layer; of an adapter of another kind its own rank.</param>
/// <param name="HiddenSize">D of its base.</param>
/// <param name="Experts">N, experts a layer.</param>
/// <param name="Probe">P, experts a token probes.</param>
/// <param name="TopK">k, neurons a token may activate.</param>
/// <param name="Gate">How routing numbers become coefficients.</param>
/// <param name="Layers">The adapted layers.</param>
/// <param name="Lora">What a LoRA adapter has besides.</param>
public sealed record AdapterFacts(
    string Kind, string? BaseModel, int? Rank, int? HiddenSize = null, int? Experts = null, int? Probe = null, int? TopK = null, string? Gate = null,
    IReadOnlyList<int>? Layers = null, LoraFacts? Lora = null);

/// <summary>A LoRA adapter.</summary>
/// <param name="Alpha">The numerator of the scale.</param>
/// <param name="Rslora">Whether the scale is alpha/√r instead of alpha/r.</param>
/// <param name="Dropout">The share of inputs that its training dropped.</param>
/// <param name="Targets">The adapted modules: names, or an expression for them.</param>
/// <param name="RankPattern">r of certain modules, by patterns of their names.</param>
/// <param name="AlphaPattern">Alpha of certain modules, by patterns of their names.</param>
/// <param name="Parameters">Numbers in its file; null where there is none.</param>
public sealed record LoraFacts(
    double Alpha, bool Rslora, double Dropout, string Targets, IReadOnlyDictionary<string, int> RankPattern,
    IReadOnlyDictionary<string, double> AlphaPattern, long? Parameters = null);

/// <summary>A run in a folder.</summary>
/// <param name="BaseModel">The base model.</param>
/// <param name="Method">What is trained.</param>
/// <param name="Rank">Neurons a layer; null for a method without.</param>
/// <param name="Steps">Steps that metrics.jsonl tells of.</param>
/// <param name="LastLoss">Loss of the last of them.</param>
/// <param name="Checkpoints">Steps of the complete checkpoints.</param>
/// <param name="Result">The folder of what was trained; null where the run is not finished.</param>
/// <param name="BestCheckpoint">Step of the checkpoint with the least validation loss; null where none was measured when one was saved.</param>
public sealed record RunFacts(
    string BaseModel, string Method, int? Rank, int Steps, double? LastLoss, IReadOnlyList<int> Checkpoints, string? Result, int? BestCheckpoint = null);

/// <summary>A checkpoint of a run.</summary>
/// <param name="Kind"><c>full</c>, or <c>incremental</c>: the rows that have changed since a full one.</param>
/// <param name="BaseStep">The step of the full one that an incremental one needs; null for a full one.</param>
/// <param name="FormatVersion">The version of its format.</param>
/// <param name="Owner">Whose state it is; null where its files do not say.</param>
/// <param name="Progress">The loop's small state; null where none was saved.</param>
public sealed record CheckpointFacts(string Kind, int? BaseStep, int FormatVersion, CheckpointOwner? Owner, TrainingProgress? Progress);
