namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>
/// Checks the headers of delta-encoded values (DELTA_BINARY_PACKED and what is built of it, Encodings.md of apache/parquet-format), whose block
/// size the library makes room for unseen.
/// </summary>
internal static class DeltaHeader
{
    /// <summary>Writers use 128 values a block, or some hundreds.</summary>
    private const ulong MaxBlock = 1 << 16;

    private const int MaxBits = 64;

    /// <summary>Goes over one run of values.</summary>
    /// <param name="data">What begins with the run.</param>
    /// <param name="values">The most values that it may have.</param>
    /// <returns>Where the run ends.</returns>
    /// <exception cref="InvalidDataException">It does not fit.</exception>
    public static int Walk(ReadOnlySpan<byte> data, int values)
    {
        var at = 0;
        var (block, miniblocks, total) = (VarInt(data, ref at), VarInt(data, ref at), VarInt(data, ref at));
        VarInt(data, ref at); // the first value
        if (total > (ulong)values) throw new InvalidDataException($"a page of {values} values holds {total} of them");
        if (total <= 1) return at;
        if (block is 0 or > MaxBlock || miniblocks == 0 || miniblocks > block) throw new InvalidDataException($"blocks of {block} values in {miniblocks} parts");
        var perMiniblock = (int)(block / miniblocks);
        for (var read = 1; read < (int)total && at < data.Length;)
        {
            VarInt(data, ref at); // the smallest difference
            var widths = data[at..Math.Min(data.Length, at + (int)miniblocks)];
            at += (int)miniblocks;
            foreach (var bits in widths)
            {
                if (read >= (int)total) break;
                if (bits > MaxBits) throw new InvalidDataException($"numbers of {bits} bits");
                for (var i = 0; i < perMiniblock && bits > 0 && at < data.Length; i += 8) at += bits;
                read += perMiniblock;
            }
        }
        return Math.Min(at, data.Length);
    }

    private static ulong VarInt(ReadOnlySpan<byte> data, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; shift < MaxBits && at < data.Length; shift += 7)
        {
            var part = data[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }
        throw new InvalidDataException("a number of a page has no end");
    }
}
