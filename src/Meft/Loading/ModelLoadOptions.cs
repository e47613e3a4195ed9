using Meft.Core.Configuration;

namespace Meft.Loading;

/// <summary>How far the weights have been read.</summary>
/// <param name="BytesRead">Bytes read so far.</param>
/// <param name="TotalBytes">Bytes of all weights that the model needs: as they are stored, those of a GGUF file as plain numbers.</param>
public readonly record struct LoadProgress(long BytesRead, long TotalBytes);

/// <summary>How a model is loaded.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Where the base model computes: <see cref="ComputeDevice.Allowed"/>.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The base model's element type; <see cref="BaseDType.Auto"/> is the one its config.json names.</summary>
    public BaseDType DType { get; init; } = BaseDType.Auto;

    /// <summary>Where the frozen layers wait; <see cref="BasePlacement.Auto"/> is on the device.</summary>
    public BasePlacement Base { get; init; } = BasePlacement.Auto;

    /// <summary>How the linear maps of the frozen layers are held.</summary>
    public Quantization Quantize { get; init; } = Quantization.None;

    /// <summary>An adapter folder to put beside the base, or null.</summary>
    public string? Adapter { get; init; }

    /// <summary>Told every few megabytes; null for nobody.</summary>
    public Action<LoadProgress>? Progress { get; init; }
}
