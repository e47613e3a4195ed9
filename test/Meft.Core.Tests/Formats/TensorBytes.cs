using Meft.Core.Formats;

namespace Meft.Core.Tests.Formats;

/// <summary>The data of tensors as they lie in a file.</summary>
internal static class TensorBytes
{
    /// <summary>All bytes of a tensor.</summary>
    public static unsafe byte[] Bytes(this ITensorSource source, string name)
    {
        var bytes = new byte[source.Tensors[name].ByteLength];
        fixed (byte* data = bytes) source.CopyTo(name, (nint)data, bytes.Length);
        return bytes;
    }
}
