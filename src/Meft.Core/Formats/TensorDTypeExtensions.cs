namespace Meft.Core.Formats;

/// <summary>Sizes and file names of <see cref="TensorDType"/>.</summary>
public static class TensorDTypeExtensions
{
    private static readonly (string Name, int Bits)[] Facts =
    [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8),
        ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8),
        ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32),
        ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ];

    private static readonly Dictionary<string, TensorDType> ByName =
        Enum.GetValues<TensorDType>().ToDictionary(d => Facts[(int)d].Name, StringComparer.Ordinal);

    /// <summary>The name in a safetensors header, such as <c>BF16</c>.</summary>
    public static string FileName(this TensorDType dtype) => Facts[(int)dtype].Name;

    /// <summary>The width of one element in bits; below 8 for the packed MX types.</summary>
    public static int BitSize(this TensorDType dtype) => Facts[(int)dtype].Bits;

    /// <summary>The type of a name in a safetensors header; names are case-sensitive.</summary>
    public static bool TryParse(string name, out TensorDType dtype) => ByName.TryGetValue(name, out dtype);

    /// <summary>
    /// The bytes that a tensor of a shape takes; false where the number of elements or of bits does not fit 64 bits, or where
    /// packed elements do not end at a byte.
    /// </summary>
    public static bool TryByteLength(this TensorDType dtype, IReadOnlyList<long> shape, out long bytes)
    {
        var bits = UInt128.One;
        bytes = 0;
        foreach (var size in shape)
        {
            if (size < 0) return false;
            bits *= (ulong)size;
            if (bits > ulong.MaxValue) return false;
        }
        bits *= (uint)dtype.BitSize();
        if (bits > ulong.MaxValue || bits % 8 != 0) return false;
        bytes = (long)(ulong)(bits / 8);
        return true;
    }
}
