using Meft.Core.Configuration;
using Meft.Core.Planning;
using Meft.Models;

namespace Meft.Training;

/// <summary>Trains every weight of the base (<c>method.kind: full</c>).</summary>
public sealed class FullMethod : TensorMethod
{
    private readonly Decoder _decoder;

    /// <param name="decoder">The base; stays the caller's. Its weights require gradients from now on.</param>
    public FullMethod(Decoder decoder)
        : base(decoder.Parameters)
    {
        _decoder = decoder;
        decoder.SetTrainable(true);
    }

    /// <inheritdoc/>
    public override IDecoderAdapter? Adapter => null;

    /// <inheritdoc/>
    public override long MappedBlockBytes => ProgramMemory.MappedBlockBytesOf(MethodKind.Full);

    /// <summary>The gradients; the weights are the base's.</summary>
    public override long DeviceByteCount => TensorByteCount;

    /// <summary>Writes a model folder: the fine-tuned base.</summary>
    public override void SaveResult(string folder) => _decoder.Save(folder);
}
