namespace Meft.Core.Formats.Gguf.Blocks;

/// <summary>How one block type is decoded. Arithmetic is float32 in the order of gguf-py, so that results agree bit for bit.</summary>
internal interface IBlockFormat
{
    /// <summary>The type.</summary>
    static abstract GgmlType Type { get; }

    /// <summary>Decodes one block.</summary>
    /// <param name="block">The block: as many bytes as the type's blocks have.</param>
    /// <param name="weights">Room for as many weights as the type's blocks have.</param>
    static abstract void Decode(ReadOnlySpan<byte> block, Span<float> weights);
}
