using Meft.Native;
using static TorchSharp.torch;

namespace Meft.Models.Quantized;

/// <summary>
/// Blocks as a tensor of bytes, and what is read from them. Numbers of a few bits stay bytes until they meet a float32: there are many of them, and a wider type
/// would cost the memory's time. All parts of bytes are taken at once: a card waits longer for an operation to be named than for its numbers.
/// </summary>
/// <param name="bytes">[r, n, B] of unsigned bytes.</param>
/// <param name="rows">r.</param>
/// <param name="count">n.</param>
/// <param name="device">Where they are.</param>
internal readonly struct BlockBytes(Tensor bytes, long rows, long count, Device device)
{
    /// <summary>How far to the right each part of a byte lies from the place where it is read: its halves, its pairs of bits, its bits.</summary>
    private static readonly byte[] Halves = [0, 4], Pairs = [0, 2, 4, 6], Bits = [0, 1, 2, 3, 4, 5, 6, 7];

    /// <summary>The values of the IQ4 types.</summary>
    private static readonly float[] UnevenValues = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    /// <summary>Unsigned bytes as they are, [r, n, length].</summary>
    public Tensor Unsigned(int offset, int length) => bytes.narrow(2, offset, length);

    /// <summary>Signed bytes as they are, [r, n, length].</summary>
    public Tensor Signed(int offset, int length) => Unsigned(offset, length).SeenAs(ScalarType.Int8);

    /// <summary>The lower bits of bytes, [r, n, length] of unsigned bytes.</summary>
    public Tensor Lower(int offset, int length, int width) => Unsigned(offset, length).bitwise_and(DeviceTables.Number((1 << width) - 1));

    /// <summary>The upper bits of bytes, [r, n, length] of unsigned bytes.</summary>
    public Tensor Upper(int offset, int length, int width) => Unsigned(offset, length).bitwise_right_shift(DeviceTables.Number(8 - width));

    /// <summary>
    /// Groups of bytes; of each the lowest parts of all its bytes, then the next ones: [r, n, shape…], as many unsigned bytes as groups · parts of a byte · length.
    /// </summary>
    /// <param name="offset">Where the groups begin.</param>
    /// <param name="groups">How many.</param>
    /// <param name="length">Bytes of a group.</param>
    /// <param name="width">Bits of a part: 1, 2 or 4.</param>
    /// <param name="shape">The shape of the result behind r and n.</param>
    public Tensor Planes(int offset, int groups, int length, int width, params ReadOnlySpan<long> shape) =>
        Shaped(Parts(Unsigned(offset, groups * length).view(rows, count, groups, 1, length), width, 1), shape);

    /// <summary>The parts of each byte side by side, lowest first: [r, n, 8 / width · length] of unsigned bytes.</summary>
    public Tensor Spread(int offset, int length, int width) => Shaped(Parts(Unsigned(offset, length).unsqueeze(3), width), [-1]);

    /// <summary>Bits moved up within their bytes, in place.</summary>
    public static Tensor Raised(Tensor bits, int by) => bits.bitwise_left_shift_(DeviceTables.Number(by));

    /// <summary>Half-precision numbers of the block, [r, n, length] float32.</summary>
    public Tensor Half(int offset, int length = 1) => Unsigned(offset, sizeof(ushort) * length).SeenAs(ScalarType.Float16).to(ScalarType.Float32);

    /// <summary>A float32 of the block, [r, n, 1].</summary>
    public Tensor Single(int offset) => Unsigned(offset, sizeof(float)).SeenAs(ScalarType.Float32);

    /// <summary>The values of the IQ4 types at four-bit numbers, in their shape.</summary>
    public Tensor Uneven(Tensor quants) => DeviceTables.LookUp(DeviceTables.Of(UnevenValues, device), quants).view(quants.shape);

    private Tensor Shaped(Tensor numbers, ReadOnlySpan<long> shape) => numbers.view([rows, count, .. shape]);

    // Each byte meets each distance, in a dimension of its own, of which the trailing ones follow.
    private Tensor Parts(Tensor part, int width, params ReadOnlySpan<long> trailing)
    {
        var distances = DeviceTables.Of(width switch { 4 => Halves, 2 => Pairs, _ => Bits }, device);
        if (trailing.Length > 0) distances = distances.view([8 / width, .. trailing]);
        return part.bitwise_right_shift(distances).bitwise_and_(DeviceTables.Number((1 << width) - 1));
    }
}
