using System.Text.Json;

namespace Meft.Core.Configuration;

/// <summary>The element type of the frozen base; <see cref="Auto"/> is the checkpoint's own.</summary>
public enum BaseDType
{
    /// <summary>The checkpoint's own.</summary>
    Auto,

    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16.</summary>
    Bf16,

    /// <summary>float16.</summary>
    Fp16,
}

/// <summary>How the frozen base is held in memory.</summary>
public enum Quantization
{
    /// <summary>As loaded.</summary>
    None,

    /// <summary>8-bit integers.</summary>
    Int8,

    /// <summary>4-bit normal floats.</summary>
    Nf4,

    /// <summary>The blocks of a GGUF file as they are.</summary>
    Gguf,
}

/// <summary>Where the frozen layers wait for their turn.</summary>
public enum BasePlacement
{
    /// <summary>The planner decides.</summary>
    Auto,

    /// <summary>On the device, all the time.</summary>
    Resident,

    /// <summary>In host memory, brought to the device in turn.</summary>
    Streamed,
}

/// <summary>What is trained: the sparse adapter, the dense parallel adapter, LoRA, or every weight of the base.</summary>
public enum MethodKind
{
    /// <summary>The sparse adapter with Key-Experts routing.</summary>
    Meft,

    /// <summary>The dense parallel adapter: every neuron, no router.</summary>
    Parallel,

    /// <summary>Low-rank adapters.</summary>
    Lora,

    /// <summary>No adapter: the weights of the base itself.</summary>
    Full,
}

/// <summary>How a probed expert's router value becomes its coefficient (method.md §1).</summary>
public enum GateKind
{
    /// <summary>The value itself.</summary>
    Linear,

    /// <summary>Its softmax over all experts.</summary>
    Softmax,
}

/// <summary>What travels between host and device for a layer (method.md §5).</summary>
public enum ExecutionKind
{
    /// <summary>The planner decides by cost.</summary>
    Auto,

    /// <summary>The active rows go to the device.</summary>
    Rows,

    /// <summary>The activations come to the host.</summary>
    Activations,
}

/// <summary>Which rows the optimizer moves: those that were active in the step, or all (method.md §4).</summary>
public enum OptimizerRows
{
    /// <summary>Rows that were active in the step.</summary>
    Touched,

    /// <summary>Every row, as torch.optim.AdamW.</summary>
    All,
}

/// <summary>The form of a learning-rate schedule, named as transformers' <c>get_scheduler</c> does.</summary>
public enum ScheduleKind
{
    /// <summary>The base rate throughout.</summary>
    Constant,

    /// <summary>Rises linearly, then stays.</summary>
    ConstantWithWarmup,

    /// <summary>Rises linearly, falls linearly to 0.</summary>
    Linear,

    /// <summary>Rises linearly, falls along half a cosine to 0.</summary>
    Cosine,

    /// <summary>As cosine; past the last step it stays at 0.</summary>
    CosineWithRestarts,

    /// <summary>Rises linearly, falls linearly to 1e-7.</summary>
    Polynomial,

    /// <summary>Rises linearly, falls with the root of the step.</summary>
    InverseSqrt,
}

/// <summary>The form of a data row; <see cref="Auto"/> tells it from the row's own keys.</summary>
public enum RowFormat
{
    /// <summary>Told from each file's rows.</summary>
    Auto,

    /// <summary>A text.</summary>
    Text,

    /// <summary>A prompt and its completion.</summary>
    PromptCompletion,

    /// <summary>A conversation.</summary>
    Messages,

    /// <summary>An instruction with input and output, as Alpaca has them.</summary>
    Instruction,

    /// <summary>Token ids and labels.</summary>
    InputIds,
}

/// <summary>What happens to a row that is longer than <c>data.max_length</c>.</summary>
public enum OverLength
{
    /// <summary>Refuse the file.</summary>
    Error,

    /// <summary>Cut the end off.</summary>
    Truncate,

    /// <summary>Leave the row out.</summary>
    Drop,
}

/// <summary>What happens to a row that cannot be read or has nothing to train on.</summary>
public enum BadRows
{
    /// <summary>Refuse the data, naming all such rows.</summary>
    Error,

    /// <summary>Leave the row out; the audit counts and names it.</summary>
    Skip,
}

/// <summary>Whether activations are computed again in the backward pass instead of being kept.</summary>
public enum RecomputeMode
{
    /// <summary>Where the plan needs it.</summary>
    Auto,

    /// <summary>Always.</summary>
    On,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>Whether the largest micro-batch of a run is tried before the first step.</summary>
public enum WorstBatchCheck
{
    /// <summary>Unless it comes within the first steps anyway.</summary>
    Auto,

    /// <summary>Always.</summary>
    On,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>Whether a checkpoint between two full ones holds only the rows that have changed since the last full one.</summary>
public enum IncrementalCheckpoints
{
    /// <summary>Where rows are touched one by one (<c>optimizer.rows: touched</c>) and that saves half the bytes or more.</summary>
    Auto,

    /// <summary>Never: every checkpoint is full.</summary>
    Off,
}

/// <summary>The names of enumerated values as the config writes them: lower case, words joined by an underscore.</summary>
public static class ChoiceName
{
    /// <summary>The config's name of a value, for example <c>cosine_with_restarts</c>.</summary>
    public static string Of<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>All names of an enumeration, in its order.</summary>
    public static IReadOnlyList<string> All<T>() where T : struct, Enum => [.. Enum.GetValues<T>().Select(Of)];

    /// <summary>The value with a name, or null where there is none.</summary>
    public static T? Find<T>(string name) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (string.Equals(Of(value), name, StringComparison.Ordinal)) return value;
        }
        return null;
    }
}
