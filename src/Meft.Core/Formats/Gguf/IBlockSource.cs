namespace Meft.Core.Formats.Gguf;

/// <summary>A source that can give tensors as they are stored: in blocks.</summary>
public interface IBlockSource
{
    /// <summary>The type of a tensor's blocks; null where it is stored as plain numbers.</summary>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    GgmlType? BlocksOf(string name);

    /// <summary>Copies a tensor's blocks, row by row in Hugging Face's order of the rows.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="byteLength">The bytes that may be written there; must be those of the blocks.</param>
    /// <exception cref="TensorNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length differs from the blocks'.</exception>
    void CopyBlocks(string name, nint destination, long byteLength);
}
