using System.Text.Json.Serialization;
using Meft.Core.Configuration;

namespace Meft.Inspection;

/// <summary>What adapters would add to a model, by the plan of a training step on the CPU.</summary>
/// <param name="Rows">Rows of the step.</param>
/// <param name="RowTokens">Tokens of each, all trained.</param>
/// <param name="BaseDeviceBytes">The base's weights.</param>
/// <param name="Methods">The adapters.</param>
public sealed record AdapterCosts(int Rows, int RowTokens, long BaseDeviceBytes, IReadOnlyList<AdapterCost> Methods);

/// <summary>What one adapter would add to a model.</summary>
public sealed record AdapterCost
{
    /// <summary>The kind of adapter, as <c>method.kind</c> names it.</summary>
    public required MethodKind Method { get; init; }

    /// <summary>R, neurons a layer; LoRA's r.</summary>
    public required int Rank { get; init; }

    /// <summary>N, experts a layer; null for LoRA.</summary>
    public int? Experts { get; init; }

    /// <summary>How many layers are adapted.</summary>
    public required int Layers { get; init; }

    /// <summary>The modules that LoRA adapts; else null.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>Parameters in all adapted layers.</summary>
    public required long Parameters { get; init; }

    /// <summary>Those over the base's.</summary>
    public required double ShareOfBase { get; init; }

    /// <summary>Bytes of its file.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes of host memory that training it takes: its parameters, both moments, gradients, and what a step keeps there.</summary>
    public required long HostBytes { get; init; }

    /// <summary>Bytes of device memory at the peak of a step, the base's weights among them.</summary>
    public required long DeviceBytes { get; init; }

    /// <summary>The name of the rank in the method's own letters, for people.</summary>
    [JsonIgnore]
    public string Name => Method == MethodKind.Lora ? $"lora r = {Rank:N0}" : $"meft R = {Rank:N0}";
}
