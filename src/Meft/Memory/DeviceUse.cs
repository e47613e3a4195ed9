namespace Meft.Memory;

/// <summary>What device memory is held for.</summary>
/// <param name="Name">The name in metrics, tables and errors.</param>
/// <param name="Lever">What a user changes to need less of it.</param>
public sealed record DeviceUse(string Name, string Lever)
{
    /// <summary>The frozen (or, with <c>method.kind: full</c>, the trained) weights that wait on the device.</summary>
    public static readonly DeviceUse BaseWeights = new("base weights", "set base: streamed or quantize: nf4, or take a narrower dtype");

    /// <summary>The two layer-sized buffers of a streamed base.</summary>
    public static readonly DeviceUse LayerWindow = new("layer window", "set quantize: nf4, or take a narrower dtype");

    /// <summary>Weights of a quantised base that are plain numbers for the moment, while they are multiplied.</summary>
    public static readonly DeviceUse DequantizedPanel = new("dequantised panel", "raise budget.device: this is a fixed amount");

    /// <summary>Trained tensors and their gradients, of the methods that hold them on the device.</summary>
    public static readonly DeviceUse TrainedTensors = new("trained tensors", "take method.kind: meft, or lower method.rank");

    /// <summary>The hidden states between the layers, kept for the backward pass.</summary>
    public static readonly DeviceUse HiddenStates = new("hidden states", "lower batch.size (and raise batch.accumulate) or data.max_length");

    /// <summary>What autograd keeps inside the layers for the backward pass.</summary>
    public static readonly DeviceUse LayerActivations = new(
        "layer activations", "set recompute: on, or lower batch.size (and raise batch.accumulate)");

    /// <summary>What an adapter needs for one layer at a time: its input and output, and the active rows where they travel.</summary>
    public static readonly DeviceUse AdapterWorkingSet = new(
        "adapter working set", "set method.execution: activations, or lower batch.size (and raise batch.accumulate)");

    /// <summary>A chunk of logits with its gradient.</summary>
    public static readonly DeviceUse Logits = new("logits", "raise budget.device: this is a fixed amount");

    /// <summary>Keys and values of the tokens of samples, while they are written.</summary>
    public static readonly DeviceUse KeyValueCache = new("samples' cache", "lower evaluate.samples or evaluate.max_new_tokens");
}
