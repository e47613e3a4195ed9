using System.IO.Compression;
using K4os.Compression.LZ4;
using Parquet.Meta;
using Snappier;
using ZstdSharp;

namespace Meft.Core.Data.Files.ParquetChecks;

/// <summary>What pages' compression may do: how much a byte may become, and the bytes themselves.</summary>
internal static class PageCodec
{
    /// <summary>Small pages have headers of their own and no ratio.</summary>
    private const long Base = 1 << 12;

    /// <summary>Snappy's bytes begin with their length in at most so many.</summary>
    public const int SnappyLengthBytes = 5;

    /// <summary>
    /// The most bytes that a compressed byte may stand for. Snappy: copies of 64 bytes take 3. LZ4: a length byte stands for 255. Deflate: copies
    /// of 258 bytes take 2 bits. Zstandard and Brotli may go far beyond that (128 KiB in 4 bytes, 16 MiB in some more): there the claim is counted.
    /// </summary>
    private static long Ratio(CompressionCodec codec) => codec switch
    {
        CompressionCodec.SNAPPY => 22,
        CompressionCodec.LZ4 or CompressionCodec.LZ4_RAW => 255,
        CompressionCodec.GZIP or CompressionCodec.ZSTD or CompressionCodec.BROTLI => 1032,
        _ => throw new InvalidDataException($"the compression {codec} cannot be read"),
    };

    /// <summary>Whether the size is one that the number of compressed bytes explains.</summary>
    /// <exception cref="InvalidDataException">The compression is one that cannot be read.</exception>
    public static bool IsExplained(CompressionCodec codec, long compressed, long uncompressed) =>
        uncompressed >= 0 && uncompressed <= (codec == CompressionCodec.UNCOMPRESSED ? compressed : Base + Ratio(codec) * compressed);

    /// <summary>Whether the bytes really become so many: decompresses them where their number does not explain it, keeping nothing.</summary>
    public static bool Becomes(CompressionCodec codec, byte[] compressed, long uncompressed)
    {
        if (codec is not (CompressionCodec.ZSTD or CompressionCodec.BROTLI) || uncompressed is < 0 or > int.MaxValue) return false;
        using var bytes = new MemoryStream(compressed);
        using Stream stream = codec == CompressionCodec.ZSTD ? new DecompressionStream(bytes) : new BrotliStream(bytes, CompressionMode.Decompress);
        var buffer = new byte[1 << 16];
        while (uncompressed >= 0 && stream.Read(buffer) is > 0 and var read) uncompressed -= read;
        return uncompressed == 0;
    }

    /// <summary>Whether the compressed bytes say themselves how long they become, and the library believes them and not the page's header.</summary>
    public static bool SaysLength(CompressionCodec codec) => codec is CompressionCodec.SNAPPY or CompressionCodec.ZSTD;

    /// <summary>What <see cref="SaysLength"/> bytes say.</summary>
    public static long LengthOf(CompressionCodec codec, ReadOnlySpan<byte> compressed) => codec == CompressionCodec.SNAPPY
        ? Snappy.GetUncompressedLength(compressed)
        : (long)Math.Min(long.MaxValue, Decompressor.GetDecompressedSize(compressed));

    /// <summary>Decompresses bytes whose lengths were checked.</summary>
    public static ReadOnlySpan<byte> Decompress(CompressionCodec codec, byte[] compressed, int uncompressed)
    {
        switch (codec)
        {
            case CompressionCodec.SNAPPY:
                return Snappy.DecompressToArray(compressed);
            case CompressionCodec.ZSTD:
                using (var decompressor = new Decompressor()) return decompressor.Unwrap(compressed).ToArray();
            case CompressionCodec.GZIP:
                return ReadAtMost(new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress), uncompressed);
            case CompressionCodec.BROTLI:
                return ReadAtMost(new BrotliStream(new MemoryStream(compressed), CompressionMode.Decompress), uncompressed);
            case CompressionCodec.LZ4 or CompressionCodec.LZ4_RAW:
                var bytes = new byte[uncompressed];
                return bytes.AsSpan(0, Math.Max(0, LZ4Codec.Decode(compressed, bytes)));
            default:
                return compressed;
        }
    }

    private static ReadOnlySpan<byte> ReadAtMost(Stream stream, int bytes)
    {
        using (stream)
        {
            var buffer = new byte[bytes];
            return buffer.AsSpan(0, stream.ReadAtLeast(buffer, bytes, throwOnEndOfStream: false));
        }
    }
}
