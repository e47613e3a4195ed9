namespace Meft.Core.Planning;

/// <summary>What a calibration holds for; any other machine, thread count or version needs one of its own.</summary>
/// <param name="Processor">The processor's name.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="Device">The device that the base computes on.</param>
/// <param name="LibtorchVersion">libtorch's version.</param>
/// <param name="ToolVersion">The program's version.</param>
public sealed record CalibrationKey(string Processor, int Threads, string Device, string LibtorchVersion, string ToolVersion);

/// <summary>The speed of a matrix product [T, D]·[D, F] at a small and a large T.</summary>
/// <param name="SmallFlops">Operations a second at <see cref="Calibration.SmallTokens"/>.</param>
/// <param name="LargeFlops">Operations a second at <see cref="Calibration.LargeTokens"/>.</param>
public readonly record struct MatmulRate(double SmallFlops, double LargeFlops)
{
    /// <summary>The rate at any T: linear in log T between the two, as at the nearer one beyond them.</summary>
    public double At(double tokens)
    {
        var span = Math.Log2(Calibration.LargeTokens) - Math.Log2(Calibration.SmallTokens);
        var share = Math.Clamp((Math.Log2(Math.Max(1, tokens)) - Math.Log2(Calibration.SmallTokens)) / span, 0, 1);
        return SmallFlops + share * (LargeFlops - SmallFlops);
    }
}

/// <summary>How fast this machine is, from a short measurement.</summary>
public sealed record Calibration
{
    /// <summary>T of the small matrix product that is measured.</summary>
    public const int SmallTokens = 64;

    /// <summary>T of the large one.</summary>
    public const int LargeTokens = 1024;

    /// <summary>What it holds for.</summary>
    public required CalibrationKey Key { get; init; }

    /// <summary>Matrix products of float32 on the device.</summary>
    public required MatmulRate SingleMatmul { get; init; }

    /// <summary>Matrix products of the 16-bit types on the device.</summary>
    public required MatmulRate HalfMatmul { get; init; }

    /// <summary>The float32 dot-product kernel on the host, operations a second.</summary>
    public required double DotFlops { get; init; }

    /// <summary>A streaming loop over host memory, bytes read and written a second.</summary>
    public required double HostBytesPerSecond { get; init; }

    /// <summary>Element-wise operations on the device, bytes read and written a second.</summary>
    public required double DeviceBytesPerSecond { get; init; }

    /// <summary>Seconds that an operation on the device takes however small it is.</summary>
    public required double OperationSeconds { get; init; }

    /// <summary>From the host to the device, bytes a second; null where both are one.</summary>
    public double? ToDeviceBytesPerSecond { get; init; }

    /// <summary>From the device to the host, bytes a second; null where both are one.</summary>
    public double? ToHostBytesPerSecond { get; init; }

    /// <summary>Matrix products of a type of so many bytes an element.</summary>
    public MatmulRate Matmul(int width) => width < sizeof(float) ? HalfMatmul : SingleMatmul;

    /// <summary>Whether every rate is a positive finite number: others come from a damaged file.</summary>
    internal bool IsSane => new[]
    {
        SingleMatmul.SmallFlops, SingleMatmul.LargeFlops, HalfMatmul.SmallFlops, HalfMatmul.LargeFlops, DotFlops, HostBytesPerSecond,
        DeviceBytesPerSecond, OperationSeconds, ToDeviceBytesPerSecond ?? 1, ToHostBytesPerSecond ?? 1,
    }.All(rate => double.IsFinite(rate) && rate > 0);
}
