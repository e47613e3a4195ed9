using System.Collections.Concurrent;
using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>The few numbers that decoding by operations on tensors needs, made once for each device: sending them at every use would have the host wait for the device.</summary>
internal static class DeviceTables
{
    private static readonly ConcurrentDictionary<(Array Table, TorchSharp.DeviceType Type, int Index), Lazy<Tensor>> Tables = new();

    private static readonly Tensor[] Numbers =
        [.. Enumerable.Range(0, 256).Select(number => ScalarOperations.Filled([], number, ScalarType.Byte, CPU).DetachFromDisposeScope())];

    /// <summary>A byte as a tensor without dimensions in host memory: operations on any device take its number along.</summary>
    public static Tensor Number(int value) => Numbers[value];

    /// <summary>The numbers of a table, [n], at whole numbers: in their shape, of the table's type.</summary>
    /// <param name="table">float or double; the same array at every call.</param>
    /// <param name="indices">Bytes, each less than n.</param>
    public static Tensor LookUp<T>(T[] table, Tensor indices) where T : unmanaged =>
        Of(table, indices.device).index_select(0, indices.to(ScalarType.Int32).reshape(-1)).view(indices.shape);

    private static Tensor Of(Array table, Device device) => Tables.GetOrAdd((table, device.type, device.index), key => new Lazy<Tensor>(() =>
    {
        using var made = key.Table is double[] doubles ? tensor(doubles, ScalarType.Float64) : tensor((float[])key.Table, ScalarType.Float32);
        return made.to(device, copy: true).DetachFromDisposeScope();
    }, LazyThreadSafetyMode.PublicationOnly)).Value; // where the device has no room for it now, it may have later
}
