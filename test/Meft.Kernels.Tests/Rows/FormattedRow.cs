using System.Runtime.InteropServices;
using Meft.Kernels.Attention;

namespace Meft.Kernels.Tests.Rows;

/// <summary>Pinned numbers in either format.</summary>
internal sealed unsafe class FormattedRow
{
    private readonly FloatFormat _format;
    private readonly byte[] _bytes;

    public FormattedRow(FloatFormat format, int count)
    {
        _format = format;
        Count = count;
        _bytes = GC.AllocateArray<byte>(count * sizeof(float), pinned: true);
    }

    /// <summary>Random numbers in [−1, 1], those that the format has.</summary>
    public FormattedRow(FloatFormat format, int count, int seed) : this(format, count)
    {
        var values = Reference.Random(count, seed);
        for (var i = 0; i < count; i++) this[i] = values[i];
    }

    public int Count { get; }

    public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);

    public float this[int i]
    {
        get => _format == FloatFormat.Single
            ? ((float*)Address)[i]
            : BitConverter.UInt32BitsToSingle((uint)((ushort*)Address)[i] << 16);
        set
        {
            if (_format == FloatFormat.Single) ((float*)Address)[i] = value;
            else ((ushort*)Address)[i] = (ushort)(Rounded(value) >> 16);
        }
    }

    /// <summary>Holds a number against one computed in float64, with room for so many roundings to the format.</summary>
    public void ShouldBeNear(int i, double expected, int roundings, double? scale = null)
    {
        var unit = _format == FloatFormat.Single ? 3e-7 : 1.0 / 256;
        Assert.True(Math.Abs(this[i] - expected) <= roundings * unit * (scale ?? Math.Abs(expected)) + 1e-7, $"number {i}: {this[i]} against {expected}");
    }

    public void ShouldAllBe(float value)
    {
        for (var i = 0; i < Count; i++) Assert.Equal(value, this[i]);
    }

    private static uint Rounded(float value)
    {
        if (float.IsNaN(value)) return BitConverter.SingleToUInt32Bits(value) | 0x400000;
        // By arithmetic and not by the kernels' trick with bits: of the two neighbours the nearer one, of equally near ones the even.
        var below = BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000;
        if (!float.IsFinite(value)) return below;
        var above = below + 0x10000;
        double down = Math.Abs((double)value - BitConverter.UInt32BitsToSingle(below)), up = Math.Abs(BitConverter.UInt32BitsToSingle(above) - (double)value);
        return down < up || (down == up && (below & 0x10000) == 0) ? below : above;
    }
}
