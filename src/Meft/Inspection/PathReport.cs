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

    /// <summary>A folder with a tokenizer and no model.</summary>
    Tokenizer,

    /// <summary>An adapter folder.</summary>
    Adapter,

    /// <summary>A run's folder.</summary>
    Run,

    /// <summary>A checkpoint of a run.</summary>
    Checkpoint,
}

/// <summary>What was found at a path; a part that does not apply is null. Its names in JSON stand in docs/inspect.md.</summary>
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

    /// <summary>What adapters would add to the model.</summary>
    public AdapterCosts? AdapterCosts { get; init; }

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

    /// <summary>The files that the tensors lie in.</summary>
    public IReadOnlyList<FileFacts>? Files { get; init; }

    /// <summary>The tensors.</summary>
    public TensorList? Tensors { get; init; }

    /// <summary>What is missing or odd, in words.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>The report with one remark more; as it is where there is none.</summary>
    internal PathReport With(string? remark) => remark is null ? this : this with { Remarks = [.. Remarks, remark] };
}
