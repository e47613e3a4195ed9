using Meft.Core.Formats.Safetensors;

namespace Meft.Inspection;

/// <summary>A file with tensors.</summary>
/// <param name="Name">Its name, without folder.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Tensors">How many tensors it holds.</param>
public sealed record FileFacts(string Name, long Bytes, int Tensors)
{
    /// <summary>Of a file that is open.</summary>
    internal static FileFacts Of(SafetensorsFile file) => new(Path.GetFileName(file.Path), file.ByteLength, file.Tensors.Count);
}
