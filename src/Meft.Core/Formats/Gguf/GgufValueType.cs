namespace Meft.Core.Formats.Gguf;

/// <summary>The types of metadata values, with their numbers in a file.</summary>
public enum GgufValueType
{
    /// <summary>Unsigned integer, 8 bits: <see cref="byte"/>.</summary>
    UInt8 = 0,

    /// <summary>Signed integer, 8 bits: <see cref="sbyte"/>.</summary>
    Int8 = 1,

    /// <summary>Unsigned integer, 16 bits: <see cref="ushort"/>.</summary>
    UInt16 = 2,

    /// <summary>Signed integer, 16 bits: <see cref="short"/>.</summary>
    Int16 = 3,

    /// <summary>Unsigned integer, 32 bits: <see cref="uint"/>.</summary>
    UInt32 = 4,

    /// <summary>Signed integer, 32 bits: <see cref="int"/>.</summary>
    Int32 = 5,

    /// <summary>IEEE single: <see cref="float"/>.</summary>
    Float32 = 6,

    /// <summary>One byte, 0 or 1: <see cref="bool"/>.</summary>
    Boolean = 7,

    /// <summary>UTF-8 with its length before it: <see cref="string"/>.</summary>
    String = 8,

    /// <summary>Values of one type, with type and number before them: an array of the element's .NET type.</summary>
    Array = 9,

    /// <summary>Unsigned integer, 64 bits: <see cref="ulong"/>.</summary>
    UInt64 = 10,

    /// <summary>Signed integer, 64 bits: <see cref="long"/>.</summary>
    Int64 = 11,

    /// <summary>IEEE double: <see cref="double"/>.</summary>
    Float64 = 12,
}
