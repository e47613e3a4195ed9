using Meft.Kernels.Linear;
using Meft.Kernels.Simd;

namespace Meft.Kernels.Quantization.Blocks;

/// <summary>
/// How one block type is decoded. Arithmetic is float32 and rounded after each operation, in the order of gguf-py for the types of GGUF, so
/// that results agree bit for bit, at every register width.
/// </summary>
internal unsafe interface IBlockFormat
{
    /// <summary>Weights of a block.</summary>
    static abstract int Weights { get; }

    /// <summary>Bytes of a block.</summary>
    static abstract int Bytes { get; }

    /// <summary>Decodes one block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="weights">Room for its weights in the wanted format.</param>
    static abstract void Decode<TSimd, TFormat>(byte* block, nint weights) where TSimd : unmanaged, ISimd<TSimd> where TFormat : IWeightFormat;
}
