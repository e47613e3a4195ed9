namespace Meft.Core.Formats.Safetensors;

/// <summary>A tensor that waits to be written.</summary>
internal sealed record PendingTensor(
    string Name, TensorDType DType, IReadOnlyList<long> Shape, long ByteLength, Action<Stream> WriteData);
