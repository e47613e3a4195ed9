using System.Runtime.InteropServices;

namespace Meft.Kernels.Tests.Rows;

/// <summary>
/// Numbers in either format at an address, between margins of NaN that nobody may write to. The memory is the system's: an array of the
/// garbage collector's, even a pinned one, is freed once nothing but its address is in use, though a kernel is still reading there. Whoever
/// forgets to dispose of this loses memory and no numbers.
/// </summary>
internal sealed unsafe class FormattedRow : IDisposable
{
    private const int MarginBytes = 64;
    private const byte Margin = 0xFF; // four of them are a NaN, and so are two
    private readonly FloatFormat _format;
    private readonly int _bytes;
    private byte* _memory;

    public FormattedRow(FloatFormat format, int count)
    {
        _format = format;
        Count = count;
        _bytes = count * (format == FloatFormat.Single ? sizeof(float) : sizeof(ushort));
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(_bytes + 2 * MarginBytes), MarginBytes);
        new Span<byte>(_memory, _bytes + 2 * MarginBytes).Fill(Margin);
        new Span<byte>(_memory + MarginBytes, _bytes).Clear();
    }

    /// <summary>Random numbers in [−1, 1], those that the format has.</summary>
    public FormattedRow(FloatFormat format, int count, int seed) : this(format, count)
    {
        var values = Reference.Random(count, seed);
        for (var i = 0; i < count; i++) this[i] = values[i];
    }

    public int Count { get; }

    public nint Address => (nint)(_memory + MarginBytes);

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

    /// <summary>Frees the memory; fails where a margin was written to.</summary>
    public void Dispose()
    {
        if (_memory is null) return;
        var isWhole = !new ReadOnlySpan<byte>(_memory, MarginBytes).ContainsAnyExcept(Margin)
            && !new ReadOnlySpan<byte>(_memory + MarginBytes + _bytes, MarginBytes).ContainsAnyExcept(Margin);
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        Assert.True(isWhole, "numbers were written before the first or past the last one");
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
