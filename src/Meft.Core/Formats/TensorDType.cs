namespace Meft.Core.Formats;

/// <summary>
/// The element types of the safetensors format, in its order: by increasing alignment, which is also the order, reversed,
/// in which tensors are laid out in a file.
/// </summary>
public enum TensorDType
{
    /// <summary>Boolean, one byte.</summary>
    Bool,

    /// <summary>MX float, 4 bits.</summary>
    F4,

    /// <summary>MX float, 6 bits: 2 of exponent, 3 of mantissa.</summary>
    F6E2M3,

    /// <summary>MX float, 6 bits: 3 of exponent, 2 of mantissa.</summary>
    F6E3M2,

    /// <summary>Unsigned integer, 8 bits.</summary>
    U8,

    /// <summary>Signed integer, 8 bits.</summary>
    I8,

    /// <summary>Float, 8 bits: 5 of exponent, 2 of mantissa.</summary>
    F8E5M2,

    /// <summary>Float, 8 bits: 4 of exponent, 3 of mantissa.</summary>
    F8E4M3,

    /// <summary>Float, 8 bits, all of exponent: a power of two.</summary>
    F8E8M0,

    /// <summary>Float, 8 bits: 4 of exponent, 3 of mantissa, without infinity and negative zero.</summary>
    F8E4M3Fnuz,

    /// <summary>Float, 8 bits: 5 of exponent, 2 of mantissa, without infinity and negative zero.</summary>
    F8E5M2Fnuz,

    /// <summary>Signed integer, 16 bits.</summary>
    I16,

    /// <summary>Unsigned integer, 16 bits.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper 16 bits of an IEEE single.</summary>
    BF16,

    /// <summary>Signed integer, 32 bits.</summary>
    I32,

    /// <summary>Unsigned integer, 32 bits.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>Complex of two IEEE singles.</summary>
    C64,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>Signed integer, 64 bits.</summary>
    I64,

    /// <summary>Unsigned integer, 64 bits.</summary>
    U64,
}
