using System.Diagnostics;
using Meft.Core.Machine;
using Meft.Core.Planning;
using Meft.Devices.Cuda;
using Meft.Host;
using Meft.Kernels;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Planning;

/// <summary>
/// Measures how fast this machine is, in under three seconds: each speed is the best of a few repetitions, for whatever else runs only makes a
/// repetition slower.
/// </summary>
public static class MachineCalibration
{
    private const int MatmulInputs = 1024, MatmulOutputs = 2048, StreamRows = 4096, StreamDimension = 1024;
    private const long LinkBytes = 64L << 20;
    private static readonly TimeSpan Each = TimeSpan.FromMilliseconds(100);

    /// <summary>What a calibration of this process, on a device, holds for.</summary>
    public static CalibrationKey KeyOf(Device device) => new(
        ProcessorInfo.Read().Name, KernelThreads.Count, device.type == TorchSharp.DeviceType.CPU ? "cpu" : NameOf(device), NativeTorch.Load().LibtorchVersion,
        typeof(MachineCalibration).Assembly.GetName().Version?.ToString() ?? "unknown");

    // Another card in the same place is another machine.
    private static string NameOf(Device device) => CudaDriver.NameOf(Math.Max(0, device.index)) is { } card ? $"{device} {card}" : device.ToString();

    /// <summary>Measures a device and the host beside it, with the thread counts that are set.</summary>
    public static Calibration Measure(Device device)
    {
        NativeTorch.Load();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var accelerator = device.type != TorchSharp.DeviceType.CPU;
        return new Calibration
        {
            Key = KeyOf(device),
            SingleMatmul = Matmul(device, ScalarType.Float32),
            HalfMatmul = Matmul(device, ScalarType.BFloat16),
            DotFlops = Dots(),
            HostBytesPerSecond = Stream(),
            DeviceBytesPerSecond = ElementWise(device),
            OperationSeconds = SmallOperation(device),
            ToDeviceBytesPerSecond = accelerator ? Link(device, toDevice: true) : null,
            ToHostBytesPerSecond = accelerator ? Link(device, toDevice: false) : null,
        };
    }

    private static MatmulRate Matmul(Device device, ScalarType type)
    {
        using var weight = randn(MatmulOutputs, MatmulInputs, ScalarType.Float32, device).to(type);
        double Rate(int tokens)
        {
            using var x = randn(tokens, MatmulInputs, ScalarType.Float32, device).to(type);
            return 2.0 * tokens * MatmulInputs * MatmulOutputs / Best(device, () => nn.functional.linear(x, weight).Dispose());
        }
        return new MatmulRate(Rate(Calibration.SmallTokens), Rate(Calibration.LargeTokens));
    }

    private static unsafe double Dots()
    {
        const int tokens = 256, rows = 512, dimension = 1024;
        using HostMatrix x = new(tokens, dimension), keys = new(rows, dimension), scores = new(tokens, rows);
        var (from, to, into) = ((nint)x.Data, (nint)keys.Data, (nint)scores.Data);
        return 2.0 * tokens * rows * dimension
            / Best(CPU, () => GroupedScores.ComputeAll((float*)from, tokens, (float*)to, rows, dimension, (float*)into));
    }

    /// <summary>AdamW over rows that do not fit the caches: three numbers read and written, one read.</summary>
    private static unsafe double Stream()
    {
        using var parameters = new ParameterRows(StreamRows, StreamDimension);
        using var gradients = new HostMatrix(StreamRows, StreamDimension);
        var step = new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, 1, 1);
        var (weights, first, second, gradient) =
            ((nint)parameters.Weights.Data, (nint)parameters.FirstMoments.Data, (nint)parameters.SecondMoments.Data, (nint)gradients.Data);
        return 7 * gradients.ByteCount / Best(CPU, () => AdamW.Update(
            (float*)weights, (float*)first, (float*)second, (float*)gradient, null, null, StreamRows, StreamDimension, step));
    }

    private static double ElementWise(Device device)
    {
        using var x = randn(512, 1024, ScalarType.Float32, device);
        return 3 * TensorMemory.ByteCount(x) / Best(device, () => x.mul(x).Dispose());
    }

    private static double SmallOperation(Device device)
    {
        const int count = 200;
        using var x = zeros(16, ScalarType.Float32, device);
        return Best(device, () =>
        {
            for (var i = 0; i < count; i++) x.mul(x).Dispose();
        }) / count;
    }

    private static double Link(Device device, bool toDevice)
    {
        using var host = zeros(LinkBytes, ScalarType.Byte).pin_memory();
        using var there = zeros(LinkBytes, ScalarType.Byte, device);
        return LinkBytes / Best(device, () => _ = toDevice ? there.copy_(host) : host.copy_(there));
    }

    /// <summary>The shortest time that an action took, in seconds, tried over and over for a tenth of a second.</summary>
    private static double Best(Device device, Action action)
    {
        void Wait()
        {
            if (device.type == TorchSharp.DeviceType.CUDA) cuda.synchronize(device);
        }
        action();
        Wait();
        var best = double.MaxValue;
        var started = Stopwatch.GetTimestamp();
        do
        {
            var from = Stopwatch.GetTimestamp();
            action();
            Wait();
            best = Math.Min(best, Stopwatch.GetElapsedTime(from).TotalSeconds);
        }
        while (Stopwatch.GetElapsedTime(started) < Each);
        // A timer that stood still gives no rate.
        return Math.Max(best, 1e-9);
    }
}
