using System.Buffers.Binary;
using System.Numerics;

namespace Meft.Core.Storage;

/// <summary>
/// The checksum CRC-32C (Castagnoli) of bytes that come in pieces; how they are cut changes nothing. It finds damage, not forgery.
/// </summary>
internal struct Crc32C
{
    private uint _state;

    public Crc32C() => _state = uint.MaxValue;

    /// <summary>The checksum of all bytes so far.</summary>
    public readonly uint Value => ~_state;

    /// <summary>Takes further bytes.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        var state = _state;
        for (; bytes.Length >= 8; bytes = bytes[8..]) state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) state = BitOperations.Crc32C(state, b);
        _state = state;
    }
}
