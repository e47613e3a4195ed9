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

    /// <summary>The numbers of a table, [n], on a device.</summary>
    /// <param name="table">byte, float or double; the same array at every call.</param>
    /// <param name="device">The device.</param>
    public static Tensor Of<T>(T[] table, Device device) where T : unmanaged => Tables.GetOrAdd((table, device.type, device.index), key => new Lazy<Tensor>(() =>
    {
        using var made = key.Table switch
        {
            double[] doubles => tensor(doubles, ScalarType.Float64),
            float[] singles => tensor(singles, ScalarType.Float32),
            var bytes => tensor((byte[])bytes, ScalarType.Byte),
        };
        return made.to(device, copy: true).DetachFromDisposeScope();
    }, LazyThreadSafetyMode.PublicationOnly)).Value; // where the device has no room for it now, it may have later

    /// <summary>The numbers of a table at whole numbers, one after another.</summary>
    /// <param name="table">[n], on the indices' device.</param>
    /// <param name="indices">Bytes of any shape, each less than n.</param>
    public static Tensor LookUp(Tensor table, Tensor indices)
    {
        using var wide = indices.to(ScalarType.Int32);
        using var flat = wide.reshape(-1);
        return table.index_select(0, flat);
    }
}
